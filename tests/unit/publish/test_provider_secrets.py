"""What is published of secrets: by gateway, once, and never anew for a value."""

from typing import Any

import pytest

from gateway_runtime.snapshot.codec import digest
from gateway_runtime.snapshot.types import Snapshot
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.types import Graph
from penstock_operator.manifests.reader import Manifest
from penstock_operator.publish.secrets import SecretValues
from penstock_operator.publish.snapshots import PublishMemo, build_snapshots
from penstock_operator.resources.parse import Parsed, parse

ALLOW = [{"namespaces": ["shop"], "paths": ["kv/shop/*"]}]


def resource(kind: str, name: str, content: dict[str, Any], namespace: str = "shop") -> Parsed:
    part = {"stringData": content} if kind == "Secret" else {"spec": content}
    version = "v1" if kind == "Secret" else "penstock.dev/v1alpha1"
    metadata = {"name": name, "namespace": namespace}
    parsed = parse(
        Manifest("a.yaml", 0, 1, {"apiVersion": version, "kind": kind, "metadata": metadata, **part})
    )
    assert isinstance(parsed, Parsed), parsed
    return parsed


def gateway(name: str, **fields: Any) -> Parsed:
    vault = {
        "address": "http://vault:8200",
        "auth": {"token": {"secretRef": {"name": "vault", "key": "token"}}},
    }
    provider = {"name": "vault", "vault": vault, "allow": ALLOW, **fields}
    return resource("GatewayDeployment", name, {"secretProviders": [provider]}, "gateways")


def api(name: str, secret: str) -> Parsed:
    endpoint = {"name": "a", "url": "http://a", "headers": {"x-a": f"{{#secrets.get('{secret}')}}"}}
    group = {"name": "a", "endpoints": [endpoint]}
    return resource(
        "ApiDefinition", name, {"listeners": [{"http": {"path": f"/{name}"}}], "endpointGroups": [group]}
    )


def plan(name: str, api_name: str) -> Parsed:
    return resource("Plan", name, {"apiRef": {"name": api_name}, "security": {"keyless": {}}})


def secret(name: str, namespace: str, **values: str) -> Parsed:
    return resource("Secret", name, values, namespace)


@pytest.fixture
def resources() -> list[Parsed]:
    return [
        gateway("edge"), gateway("inner"), secret("vault", "gateways", token="t-1"),
        secret("store", "shop", key="k-1"), api("direct", "/vault/kv/shop/a:b"), plan("direct", "direct"),
        api("stored", "/kubernetes/store:key"), plan("stored", "stored"),
    ]  # fmt: skip


def digests(snapshots: dict[str, Snapshot]) -> list[str]:
    return [
        one
        for snapshot in snapshots.values()
        for one in (digest(snapshot.gateway), *(entry.digest for entry in snapshot.apis.values()))
    ]


def test_a_value_that_rotates_changes_no_section(resources: list[Parsed]) -> None:
    memo, publish = Memo(), PublishMemo()
    before = build_snapshots(build_graph(resources, memo), publish)
    resources[2] = secret("vault", "gateways", token="t-2")
    resources[3] = secret("store", "shop", key="k-2")

    after = build_snapshots(build_graph(resources, memo), publish)

    assert digests(after) == digests(before)
    assert len(digests(after)) == 6


def test_an_unchanged_api_keeps_its_entries_of_each_gateway(resources: list[Parsed]) -> None:
    memo, publish = Memo(), PublishMemo()
    before = build_snapshots(build_graph(resources, memo), publish)
    resources.append(api("other", "/vault/kv/shop/b:c"))

    after = build_snapshots(build_graph(resources, memo), publish)

    for name in ("gateways/edge", "gateways/inner"):
        assert after[name].apis["shop/direct"] is before[name].apis["shop/direct"]
    assert len(memo.variants["gateways/edge"]) == 2


def test_what_a_gateway_no_longer_allows_it_serves_no_longer(resources: list[Parsed]) -> None:
    memo, publish = Memo(), PublishMemo()
    build_snapshots(build_graph(resources, memo), publish)
    resources[0] = gateway("edge", allow=[])

    graph = build_graph(resources, memo)
    snapshots = build_snapshots(graph, publish)

    assert set(snapshots["gateways/edge"].apis) == {"shop/stored"}
    assert set(snapshots["gateways/inner"].apis) == {"shop/direct", "shop/stored"}
    assert reasons(graph) == {("ApiDefinition shop/direct", "RefNotPermitted")}


def test_a_route_of_an_api_that_is_left_out_is_free(resources: list[Parsed]) -> None:
    older = api("direct", "/vault/kv/bank/a:b")
    newer = resource("ApiDefinition", "newer", {
        "listeners": [{"http": {"path": "/direct"}}],
        "endpointGroups": [{"name": "a", "endpoints": [{"name": "a", "url": "http://a"}]}],
    })  # fmt: skip
    resources[4] = older

    snapshots = build_snapshots(build_graph([*resources, newer]))

    assert set(snapshots["gateways/edge"].apis) == {"shop/newer", "shop/stored"}


def test_credentials_of_providers_are_among_the_values_of_a_folder(resources: list[Parsed]) -> None:
    snapshot = build_snapshots(build_graph(resources))["gateways/edge"]

    assert SecretValues().of(resources, snapshot) == {
        "kubernetes/gateways/vault:token": "t-1",
        "kubernetes/shop/store:key": "k-1",
    }


def test_variables_and_files_are_refused_in_a_cluster() -> None:
    local = [
        {"name": "env", "env": {}, "allow": ALLOW},
        {"name": "file", "file": {"folder": "/run"}, "allow": ALLOW},
    ]
    edge = resource("GatewayDeployment", "edge", {"secretProviders": local}, "gateways")

    graph = build_graph([edge], services={})

    assert [(one.reason, one.field) for one in graph.problems] == [
        ("ProviderNotInCluster", "spec.secretProviders[0].env"),
        ("ProviderNotInCluster", "spec.secretProviders[1].file"),
    ]
    assert build_graph([edge]).problems == ()


def reasons(graph: Graph) -> set[tuple[str, str]]:
    return {(problem.resource, problem.reason) for problem in graph.problems if problem.severity == "Error"}
