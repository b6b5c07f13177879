"""The kinds of the API group, by name."""

from __future__ import annotations

from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.gateway_secret import GatewaySecret
from penstock_operator.resources.meta import Resource
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.subscription import Subscription

KINDS: dict[str, type[Resource]] = {
    model.names.kind: model for model in (GatewayDeployment, ApiDefinition, Plan, Subscription, GatewaySecret)
}
