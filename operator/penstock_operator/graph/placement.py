"""Decides which gateways serve which APIs, by namespaces and sharding tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from penstock_operator.graph.items import Item
from penstock_operator.graph.types import Finding
from penstock_operator.resources.gateway_deployment import GatewayDeployment

NamespaceLabels = Mapping[str, Mapping[str, str]]
"""The labels of each namespace."""

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server gives to each namespace: its name."""


def select(
    gateway: GatewayDeployment, apis: Iterable[Item], namespaces: NamespaceLabels | None
) -> list[Item]:
    """The APIs of the gateway's namespaces whose tags it covers, all of them."""
    covered = frozenset(gateway.spec.tags)
    chosen = _choice(gateway, namespaces)
    if chosen is None:
        return [api for api in apis if not api.tags or covered.issuperset(api.tags)]
    return [api for api in apis if chosen(api.namespace) and covered.issuperset(api.tags)]


def unknown_labels(gateway: GatewayDeployment, namespaces: NamespaceLabels | None) -> Iterator[Finding]:
    """Why a gateway chooses no namespace where their labels are not known: there is no cluster."""
    selector = gateway.spec.apis.namespaces.selector
    if namespaces is None and selector is not None and not selector.keys() <= {NAME_LABEL}:
        message = f"without a cluster namespaces have only the label {NAME_LABEL}, which is their name"
        path = ("spec", "apis", "namespaces", "selector")
        yield Finding("NamespaceLabelsUnknown", message, path, severity="Warning")


def uncovered(item: Item, gateways: Iterable[GatewayDeployment]) -> Finding:
    """Why no gateway serves an API."""
    known = ", ".join(sorted({tag for gateway in gateways for tag in gateway.spec.tags})) or "none"
    if item.tags:
        message = f"no gateway covers the tags {', '.join(item.tags)} here; tags of gateways: {known}"
        return Finding("NotServed", message, ("spec", "tags"), severity="Warning")
    message = f"no gateway serves APIs of the namespace {item.namespace}"
    return Finding("NotServed", message, ("metadata", "namespace"), severity="Warning")


def _choice(gateway: GatewayDeployment, namespaces: NamespaceLabels | None) -> Callable[[str], bool] | None:
    """Which namespaces a gateway chooses; None: all."""
    selection, own = gateway.spec.apis.namespaces, gateway.metadata.namespace
    selector, labels = selection.selector, namespaces or {}
    if selector is not None:
        # Each namespace is looked at once, however many APIs it has.
        return cache(lambda name: selector.matches({**labels.get(name, {}), NAME_LABEL: name}))
    return (lambda name: name == own) if selection.from_ == "Same" else None
