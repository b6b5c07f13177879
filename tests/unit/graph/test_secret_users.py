"""A secret that changed is followed to just the APIs that read it."""

from datetime import UTC, datetime

import pytest

from penstock_operator.graph.build import build_graph
from penstock_operator.graph.memo import Memo
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.parse import Parsed, parse

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEADER = "{#secrets.get('%s')}"


def made(kind: str, name: str, spec: dict[str, object], version: str = "penstock.dev/v1alpha1") -> Parsed:
    data = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **spec}
    outcome = parse(Manifest("", 0, 0, data))
    assert isinstance(outcome, Parsed), outcome
    return outcome


def secret(value: str) -> Parsed:
    return made("Secret", "one", {"stringData": {"key": value}}, "v1")


def api(name: str, uses: str = "") -> list[Parsed]:
    endpoint = {"name": "e", "url": "http://b", "headers": {"x-token": HEADER % uses} if uses else {}}
    groups = [{"name": "d", "endpoints": [endpoint]}]
    spec = {"listeners": [{"http": {"path": f"/{name}"}}], "endpointGroups": groups}
    plan = {"apiRef": {"name": name}, "security": {"apiKey": {}}}
    return [made("ApiDefinition", name, {"spec": spec}), made("Plan", name, {"spec": plan})]


def subscription(plan: str) -> Parsed:
    key = {"secretRef": {"name": "one", "key": "key"}}
    return made(
        "Subscription",
        plan,
        {"spec": {"planRef": {"name": plan}, "application": {"name": "a"}, "apiKey": key}},
    )


NAMED = made("GatewaySecret", "named", {"spec": {"source": {"kubernetes": {"name": "one", "key": "key"}}}})
FIXED = [*api("direct", "/kubernetes/one:key"), *api("by-name", "named"), *api("keys"), *api("none"), NAMED]


@pytest.fixture
def parts() -> list[Parsed]:
    return [*FIXED, subscription("keys")]


def test_only_the_apis_that_read_a_secret_are_made_anew(parts: list[Parsed]) -> None:
    memo = Memo()
    before = build_graph([*parts, secret("value-number-one-")], memo, NOW).apis
    after = build_graph([*parts, secret("value-number-two-")], memo, NOW).apis
    assert {key for key in after if after[key] is not before[key]} == {
        "default/direct", "default/by-name", "default/keys",
    }  # fmt: skip


def test_a_secret_that_goes_breaks_its_readers_and_one_that_comes_mends_them(parts: list[Parsed]) -> None:
    memo = Memo()
    whole = build_graph([*parts, secret("value-number-one-")], memo, NOW)
    without = build_graph(parts, memo, NOW)
    assert whole.apis.keys() - without.apis.keys() == {"default/direct", "default/by-name"}
    assert not without.apis["default/keys"].plans[0].subscriptions
    again = build_graph([*parts, secret("value-number-one-")], memo, NOW)
    assert again.apis.keys() == whole.apis.keys()
    assert again.apis["default/keys"].plans[0].subscriptions
