"""Finds the status that a resource had: of the last build, or after a restart that of its object."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from penstock_operator.graph.items import Item
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.secret import SecretResource
from penstock_operator.resources.status import STATUSES, Status


def before_of(item: Item, known: Mapping[ResourceId, Status]) -> Status | None:
    """The status before of the resource of an item; None where it had none."""
    resource = item.parsed.resource
    assert not isinstance(resource, SecretResource)
    return known.get(item.id) or read_status(item.kind, resource.status)


def read_status(kind: str, data: Mapping[str, object] | None) -> Status | None:
    """The status of an object; None where it has none that an operator of this version has written."""
    if not data:
        return None
    try:
        return msgspec.convert(data, STATUSES[kind])
    except msgspec.ValidationError:
        return None
