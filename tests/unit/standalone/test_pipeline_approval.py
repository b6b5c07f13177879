"""A decision against a subscription ends it at once, where a mistake would leave the last good version."""

from typing import Any

from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.standalone.pipeline import Contents, Pipeline


def resource(kind: str, name: str, spec: dict[str, Any], **annotations: str) -> Parsed:
    metadata = {
        "name": name,
        "annotations": {f"penstock.dev/{key}": text for key, text in annotations.items()},
    }
    data = {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    if kind == "Secret":
        data = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "stringData": spec}
    parsed = parse(Manifest("shop.yaml", 0, 1, data))
    assert isinstance(parsed, Parsed), parsed
    return parsed


def contents(decision: str, secret: str = "keys") -> Contents:
    endpoints = [{"name": "main", "url": "http://orders"}]
    listeners, groups = [{"http": {}}], [{"name": "default", "endpoints": endpoints}]
    key = {"secretRef": {"name": secret, "key": "key"}}
    plan = {"apiRef": {"name": "orders"}, "approval": "Manual", "security": {"apiKey": {}}}
    spec = {"planRef": {"name": "gold"}, "application": {"name": "app"}, "apiKey": key}
    return Contents([
        resource("ApiDefinition", "orders", {"listeners": listeners, "endpointGroups": groups}),
        resource("Plan", "gold", plan),
        resource("Subscription", "mobile", spec, approval=decision),
        resource("Secret", "keys", {"key": "a-key-that-is-long-enough"}),
    ], frozenset())  # fmt: skip


def test_a_rejected_subscription_is_out_of_service_at_once_even_with_another_mistake() -> None:
    pipeline = Pipeline(None)
    assert pipeline.run(contents("Approved")).snapshot.subscriptions
    assert not pipeline.run(contents("Rejected", secret="gone")).snapshot.subscriptions


def test_a_mistake_leaves_the_approved_version_in_service() -> None:
    pipeline = Pipeline(None)
    pipeline.run(contents("Approved"))
    assert pipeline.run(contents("Approved", secret="gone")).snapshot.subscriptions


def test_a_paused_subscription_is_out_of_service_at_once_even_with_another_mistake() -> None:
    pipeline = Pipeline(None)
    good = contents("Approved")
    assert pipeline.run(good).snapshot.subscriptions
    key = {"secretRef": {"name": "gone", "key": "key"}}
    spec = {"planRef": {"name": "gold"}, "application": {"name": "app"}, "apiKey": key, "state": "Paused"}
    paused = resource("Subscription", "mobile", spec, approval="Approved")
    resources = [paused if one.manifest.data["kind"] == "Subscription" else one for one in good.resources]
    assert not pipeline.run(Contents(resources, frozenset())).snapshot.subscriptions
