"""Digests of API keys are keyed per gateway, and nothing is published before a gateway has its pepper."""

from datetime import UTC, datetime

from gateway_runtime.snapshot.keys import key_digest
from gateway_runtime.snapshot.types import Snapshot
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.memo import Memo
from penstock_operator.manifests.reader import Manifest, read_text
from penstock_operator.publish.snapshots import PublishMemo, build_snapshots
from penstock_operator.resources.parse import Parsed, parse

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SHOP = """
apiVersion: penstock.dev/v1alpha1
kind: GatewayDeployment
metadata: {name: edge, namespace: shop}
spec: {}
---
apiVersion: penstock.dev/v1alpha1
kind: GatewayDeployment
metadata: {name: inner, namespace: shop}
spec: {}
---
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {name: orders, namespace: shop}
spec:
  listeners: [{http: {path: /orders}}]
  endpointGroups: [{name: default, endpoints: [{name: main, url: "http://orders"}]}]
---
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {name: gold, namespace: shop}
spec: {apiRef: {name: orders}, security: {apiKey: {}}}
---
apiVersion: penstock.dev/v1alpha1
kind: Subscription
metadata: {name: mobile, namespace: shop}
spec: {planRef: {name: gold}, application: {name: app}, apiKey: {secretRef: {name: keys, key: key}}}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: shop}
stringData: {key: a-key-that-is-long-enough}
"""
PEPPERS = {"shop/edge": b"a" * 32, "shop/inner": b"b" * 32}


def resources() -> list[Parsed]:
    parsed = [parse(one) for one in read_text(SHOP, "shop.yaml") if isinstance(one, Manifest)]
    return [one for one in parsed if isinstance(one, Parsed)]


def digests(snapshot: Snapshot) -> tuple[str, ...]:
    return snapshot.subscriptions["shop/orders"].section.subscriptions[0].key_digests


def test_digests_are_keyed_with_the_pepper_of_each_gateway() -> None:
    graph = build_graph(resources(), now=NOW)
    (plain,) = digests(build_snapshots(graph)["shop/edge"])
    snapshots = build_snapshots(graph, peppers=PEPPERS)
    assert {name: digests(one) for name, one in snapshots.items()} == {
        name: (key_digest(plain, pepper),) for name, pepper in PEPPERS.items()
    }


def test_the_section_of_a_gateway_names_the_secret_with_its_pepper() -> None:
    graph = build_graph(resources(), now=NOW)
    found = build_snapshots(graph, peppers=PEPPERS)["shop/edge"].gateway.key_pepper
    assert found is not None
    assert found.uri == "kubernetes/shop/edge-pepper:pepper"
    assert build_snapshots(graph)["shop/edge"].gateway.key_pepper is None


def test_a_gateway_without_its_pepper_is_not_published() -> None:
    graph = build_graph(resources(), now=NOW)
    assert build_snapshots(graph, peppers={"shop/edge": b"a" * 32}).keys() == {"shop/edge"}
    assert build_snapshots(graph, peppers={"shop/edge": b""}) == {}


def test_a_keyed_entry_is_made_once_until_the_pepper_is_another() -> None:
    memo, publish, found = Memo(), PublishMemo(), resources()
    first = build_snapshots(build_graph(found, memo, NOW), publish, PEPPERS)
    again = build_snapshots(build_graph(found, memo, NOW), publish, PEPPERS)
    for name in PEPPERS:
        assert again[name].subscriptions["shop/orders"] is first[name].subscriptions["shop/orders"]
    other = build_snapshots(build_graph(found, memo, NOW), publish, {**PEPPERS, "shop/edge": b"c" * 32})
    assert digests(other["shop/edge"]) != digests(first["shop/edge"])
    assert digests(other["shop/inner"]) == digests(first["shop/inner"])


def test_an_api_that_changes_keeps_the_keyed_entry_of_its_subscriptions() -> None:
    memo, publish, found = Memo(), PublishMemo(), resources()
    first = build_snapshots(build_graph(found, memo, NOW), publish, PEPPERS)["shop/edge"]
    edited = [parse(one) for one in read_text(SHOP.replace("path: /orders", "path: /o"), "shop.yaml")]
    found[2] = next(one for one in edited if isinstance(one, Parsed) and one.resource.key == "shop/orders")
    after = build_snapshots(build_graph(found, memo, NOW), publish, PEPPERS)["shop/edge"]
    assert after.apis["shop/orders"].digest != first.apis["shop/orders"].digest
    assert after.subscriptions["shop/orders"] is first.subscriptions["shop/orders"]
