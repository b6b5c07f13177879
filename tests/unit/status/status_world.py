"""A small shop: an API with a plan and a subscription on one gateway, and what its pods report."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway_runtime.snapshot.codec import digest
from gateway_runtime.snapshot.types import Snapshot
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.types import Graph, ResourceId
from penstock_operator.manifests.reader import Manifest
from penstock_operator.publish.snapshots import PublishMemo, build_snapshots
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.resources.status import Status, StatusCondition
from penstock_operator.status.build import Built, Change, StatusMemo, build_statuses
from penstock_operator.status.observed import Observed, ObservedGateway, Pod, Publication, SecretVersion

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = "must-not-appear-0123456789"
API = ResourceId("ApiDefinition", "shop", "orders")
PLAN = ResourceId("Plan", "shop", "gold")
SUBSCRIPTION = ResourceId("Subscription", "shop", "mobile")
GATEWAY = ResourceId("GatewayDeployment", "shop", "edge")
SECRET = ResourceId("GatewaySecret", "shop", "token")


def resource(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> Parsed:
    status = metadata.pop("status", None)
    data: dict[str, Any] = {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "spec": spec}
    if kind == "Secret":
        data = {"apiVersion": "v1", "kind": kind, "stringData": spec}
    data["metadata"] = {"name": name, "namespace": "shop", **metadata}
    if status is not None:
        data["status"] = status
    parsed = parse(Manifest("shop.yaml", 0, 1, data))
    assert isinstance(parsed, Parsed), parsed
    return parsed


def api(name: str = "orders", generation: int = 1, **spec: Any) -> Parsed:
    endpoints = [{"name": "main", "url": "http://backend"}]
    given = {
        "listeners": [{"http": {"path": f"/{name}"}}],
        "endpointGroups": [{"name": "default", "endpoints": endpoints}],
        **spec,
    }
    return resource("ApiDefinition", name, given, generation=generation)


def plan(name: str = "gold", of: str = "orders", **spec: Any) -> Parsed:
    return resource("Plan", name, {"apiRef": {"name": of}, "security": {"apiKey": {}}, **spec})


def subscription(name: str = "mobile", of: str = "gold", **spec: Any) -> Parsed:
    annotations = spec.pop("annotations", {})
    given = {"planRef": {"name": of}, "application": {"name": "app"}, **spec}
    return resource("Subscription", name, given, annotations=annotations, uid=f"uid-of-{name}")


def own_key(name: str = "mobile-key", key: str = KEY) -> Parsed:
    return resource("Secret", name, {"key": key})


OWN_KEY = {"secretRef": {"name": "mobile-key", "key": "key"}}


def shop() -> dict[ResourceId, Parsed]:
    """All is well in it."""
    return {
        GATEWAY: resource("GatewayDeployment", "edge", {}),
        API: api(),
        PLAN: plan(),
        SUBSCRIPTION: subscription(apiKey=OWN_KEY),
        ResourceId("Secret", "shop", "mobile-key"): own_key(),
    }


@dataclass
class World:
    """Runs the pipeline, publishes, lets pods serve, and keeps the statuses as a cluster would."""

    resources: dict[ResourceId, Parsed] = field(default_factory=shop)
    now: datetime = NOW
    version: int = 10
    """The resourceVersion of what is published last."""
    pods: dict[str, int] = field(default_factory=lambda: {"one": 1000, "two": 1000})
    errors: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, SecretVersion] = field(default_factory=dict)
    gateway: ObservedGateway = field(
        default_factory=lambda: ObservedGateway(wanted=2, ready=2, addresses=("203.0.113.7",))
    )
    publishes: bool = True
    memo: Memo = field(default_factory=Memo)
    publish_memo: PublishMemo = field(default_factory=PublishMemo)
    status_memo: StatusMemo = field(default_factory=StatusMemo)
    statuses: dict[ResourceId, Status] = field(default_factory=dict)
    published: dict[tuple[str, str], Publication] = field(default_factory=dict)

    def graph(self) -> Graph:
        return build_graph(self.resources.values(), self.memo, self.now, services={})

    def run(self, serving: Graph | None = None) -> dict[ResourceId, Change]:
        graph = self.graph()
        serving = serving or graph
        snapshots = build_snapshots(serving, self.publish_memo)
        if self.publishes:
            self._publish(snapshots)
        changed = build_statuses(Built(graph, serving, snapshots), self._observed(), self.status_memo)
        self.statuses |= {key: change.new for key, change in changed.items()}
        return changed

    def status(self, of: ResourceId) -> Any:
        return self.statuses[of]

    def condition(self, of: ResourceId, kind: str) -> StatusCondition:
        found = self.statuses[of].condition(kind)
        assert found is not None
        return found

    def reason(self, of: ResourceId, kind: str) -> tuple[str, str]:
        condition = self.condition(of, kind)
        return condition.status, condition.reason

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def _publish(self, snapshots: dict[str, Snapshot]) -> None:
        for snapshot in snapshots.values():
            found = {("gateway", ""): digest(snapshot.gateway)}
            found |= {("api", key): entry.digest for key, entry in snapshot.apis.items()}
            found |= {("subscriptions", key): entry.digest for key, entry in snapshot.subscriptions.items()}
            for place, wanted in found.items():
                known = self.published.get(place)
                if known is None or known.digest != wanted:
                    self.published[place] = Publication(wanted, self.version)

    def _observed(self) -> Observed:
        gateway = replace(
            self.gateway,
            pods=tuple(Pod(name, version, self.errors) for name, version in self.pods.items()),
            gateway=self.published.get(("gateway", "")),
            apis={key: one for (kind, key), one in self.published.items() if kind == "api"},
            subscriptions={
                key: one for (kind, key), one in self.published.items() if kind == "subscriptions"
            },
        )
        return Observed(self.now, {"shop/edge": gateway}, self.secrets)
