"""Decides which gateways serve which APIs, by namespaces and sharding tags."""

from __future__ import annotations

from collections.abc import Iterable

from penstock_operator.graph.items import Item
from penstock_operator.graph.types import Finding
from penstock_operator.resources.gateway_deployment import GatewayDeployment


def select(gateway: GatewayDeployment, apis: Iterable[Item]) -> list[Item]:
    """The APIs of the gateway's namespaces whose tags it covers, all of them."""
    covered = frozenset(gateway.spec.tags)
    prefix = f"{gateway.metadata.namespace}/" if gateway.spec.apis.namespaces.from_ == "Same" else ""
    return [api for api in apis if api.key.startswith(prefix) and covered.issuperset(api.tags)]


def uncovered(item: Item, gateways: Iterable[GatewayDeployment]) -> Finding:
    """Why no gateway serves an API."""
    known = ", ".join(sorted({tag for gateway in gateways for tag in gateway.spec.tags})) or "none"
    if item.tags:
        message = f"no gateway covers the tags {', '.join(item.tags)} here; tags of gateways: {known}"
        return Finding("NotServed", message, ("spec", "tags"), severity="Warning")
    message = f"no gateway serves APIs of the namespace {item.namespace}"
    return Finding("NotServed", message, ("metadata", "namespace"), severity="Warning")
