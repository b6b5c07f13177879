"""A gateway serves the APIs of the namespaces that its selector chooses, as their labels change."""

from typing import Any

from penstock_operator.graph.build import build_graph
from penstock_operator.graph.memo import Memo
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.parse import Parsed, parse


def resource(kind: str, namespace: str, spec: dict[str, Any]) -> Parsed:
    metadata = {"name": "main", "namespace": namespace}
    data = {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    parsed = parse(Manifest("all.yaml", 0, 1, data))
    assert isinstance(parsed, Parsed), parsed
    return parsed


def api(namespace: str) -> Parsed:
    endpoints = [{"name": "default", "endpoints": [{"name": "main", "url": "http://backend"}]}]
    listeners = [{"http": {"path": f"/{namespace}"}}]
    return resource("ApiDefinition", namespace, {"listeners": listeners, "endpointGroups": endpoints})


SELECTOR = {"matchLabels": {"team": "shop"}}
GATEWAY = resource(
    "GatewayDeployment", "gateways", {"apis": {"namespaces": {"from": "Selector", "selector": SELECTOR}}}
)
RESOURCES = [GATEWAY, api("shop"), api("bank"), api("gateways")]


def test_only_namespaces_with_the_labels_are_served() -> None:
    labels = {"shop": {"team": "shop"}, "bank": {"team": "bank"}, "empty": {"team": "shop"}}

    graph = build_graph(RESOURCES, namespaces=labels)

    assert list(graph.gateways["gateways/main"].apis) == ["shop/main"]
    assert not [report for report in graph.reports if report.id.kind == "GatewayDeployment"]


def test_a_new_label_of_a_namespace_is_followed() -> None:
    memo = Memo()
    build_graph(RESOURCES, memo, namespaces={"shop": {"team": "shop"}})

    graph = build_graph(RESOURCES, memo, namespaces={"shop": {}, "bank": {"team": "shop"}})

    assert list(graph.gateways["gateways/main"].apis) == ["bank/main"]


def test_a_label_cannot_stand_for_the_name_of_another_namespace() -> None:
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "bank"}}
    gateway = resource(
        "GatewayDeployment", "gateways", {"apis": {"namespaces": {"from": "Selector", "selector": selector}}}
    )
    labels = {"shop": {"kubernetes.io/metadata.name": "bank"}, "bank": {}}

    graph = build_graph([gateway, api("shop"), api("bank")], namespaces=labels)

    assert list(graph.gateways["gateways/main"].apis) == ["bank/main"]
