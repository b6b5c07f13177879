"""A plan with API keys -> what the gateway is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_runtime.snapshot.types import ApiKeySecurity
from penstock_operator.graph.build import build_graph
from penstock_operator.manifests.reader import Manifest
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.resources.parse import Parsed, parse


def resource(kind: str, name: str, spec: dict[str, Any]) -> Parsed:
    metadata = {"name": name, "namespace": "shop"}
    data = {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    parsed = parse(Manifest("shop.yaml", 0, 1, data))
    assert isinstance(parsed, Parsed), parsed
    return parsed


@pytest.mark.parametrize(
    ("api_key", "published"),
    [
        ({}, ApiKeySecurity(header="x-api-key", query=None, propagate=False)),
        ({"propagate": True}, ApiKeySecurity(header="x-api-key", query=None, propagate=True)),
        ({"header": "Key", "query": "k"}, ApiKeySecurity(header="key", query="k", propagate=False)),
    ],
)
def test_where_a_key_is_and_whether_it_goes_on(api_key: dict[str, Any], published: ApiKeySecurity) -> None:
    endpoints = [{"name": "main", "url": "http://backend"}]
    groups = [{"name": "default", "endpoints": endpoints}]
    graph = build_graph([
        resource("GatewayDeployment", "edge", {}),
        resource("ApiDefinition", "orders", {"listeners": [{"http": {}}], "endpointGroups": groups}),
        resource("Plan", "gold", {"apiRef": {"name": "orders"}, "security": {"apiKey": api_key}}),
    ])  # fmt: skip
    (plan,) = build_snapshots(graph)["shop/edge"].apis["shop/orders"].section.plans
    assert plan.security == published
