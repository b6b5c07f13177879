"""Tells what asks to be out of service: that holds whatever else is wrong, so no older version may serve."""

from __future__ import annotations

from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.subscription import Subscription


def is_withdrawn(resource: object) -> bool:
    """Whether an API is stopped, or a subscription paused or closed."""
    if isinstance(resource, Subscription):
        return resource.spec.state != "Active"
    return isinstance(resource, ApiDefinition) and resource.spec.state == "Stopped"
