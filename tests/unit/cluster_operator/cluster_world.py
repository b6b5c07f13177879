"""Objects as the API server has them, and what the operator makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from penstock_operator.cluster.kinds import BY_NAME, CONFIG_MAP
from penstock_operator.cluster.observed import Observed
from penstock_operator.cluster.pipeline import ClusterPipeline, Inputs, Outcome
from penstock_operator.cluster.publisher import Publication, Publisher
from penstock_operator.cluster.store import Store
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.meta import API_VERSION

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
API = ResourceId("ApiDefinition", "shop", "orders")
PLAN = ResourceId("Plan", "shop", "gold")
SUBSCRIPTION = ResourceId("Subscription", "shop", "mobile")
EDGE = ResourceId("GatewayDeployment", "shop", "edge")
PEPPER = b"p" * 32


def resource(kind: str, name: str, spec: Any, version: int = 1, **metadata: Any) -> KubeObject:
    given = {"name": name, "namespace": "shop", "uid": f"uid-of-{name}", "resourceVersion": str(version)}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": given | metadata, "spec": spec}


def api(name: str = "orders", version: int = 1, **spec: Any) -> KubeObject:
    endpoints = [{"name": "main", "url": "http://backend"}]
    given = {
        "listeners": [{"http": {"path": f"/{name}"}}],
        "endpointGroups": [{"name": "default", "endpoints": endpoints}],
        **spec,
    }
    return resource("ApiDefinition", name, given, version)


BROKEN: dict[str, Any] = {"responseTemplates": {"NO_SUCH_ERROR": {"*/*": {"body": "x"}}}}
"""Fields of an API that can be parsed, and are not accepted."""
UNPARSABLE: dict[str, Any] = {"listeners": "none"}


def plan(name: str = "gold", version: int = 1, of: str = "orders", **spec: Any) -> KubeObject:
    return resource("Plan", name, {"apiRef": {"name": of}, "security": {"keyless": {}}, **spec}, version)


def subscription(name: str = "mobile", version: int = 1, **spec: Any) -> KubeObject:
    annotations = spec.pop("annotations", {})
    given = {"planRef": {"name": "gold"}, "application": {"name": "app"}, **spec}
    return resource("Subscription", name, given, version, annotations=annotations)


def gateway(name: str = "edge", version: int = 1, **spec: Any) -> KubeObject:
    return resource("GatewayDeployment", name, spec, version)


def secret(name: str, version: int = 1, namespace: str = "shop", **values: str) -> KubeObject:
    made = resource("Secret", name, None, version, namespace=namespace)
    del made["spec"]
    return {**made, "apiVersion": "v1", "type": "Opaque", "stringData": values}


class Changes:
    """Counts how often something was told to have changed."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@dataclass
class Clock:
    """Seconds that pass only where a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Everything from the objects of a cluster to the ConfigMaps in it; nothing else writes them."""

    changes: Changes = field(default_factory=Changes)
    clock: Clock = field(default_factory=Clock)
    pipeline: ClusterPipeline = field(default_factory=ClusterPipeline)
    publisher: Publisher = field(default_factory=Publisher)
    peppers: dict[str, bytes] = field(default_factory=lambda: {"shop/edge": PEPPER})
    now: datetime = NOW
    version: int = 100
    maps: dict[str, KubeObject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Store(self.changes)
        self.observed = Observed(self.changes, self.clock)

    def put(self, *objects: KubeObject) -> None:
        for one in objects:
            self.store.put(BY_NAME[one["kind"]], one)

    def remove(self, one: KubeObject) -> None:
        self.store.remove(BY_NAME[one["kind"]], one)

    def run(self) -> Outcome:
        store = self.store
        return self.pipeline.run(
            Inputs(dict(store.resources), store.broken(), dict(store.namespaces), self.peppers, self.now)
        )

    def compare(self, outcome: Outcome | None = None) -> Publication:
        """What is to be published now."""
        outcome = outcome or self.run()
        gateways = {key: node.gateway for key, node in outcome.serving.gateways.items()}
        keeps = frozenset(name.key for name in outcome.lost if name.kind == "ApiDefinition")
        return self.publisher.compare(gateways, outcome.snapshots, self.observed.config_maps, keeps)

    def publish(self) -> tuple[list[str], list[str]]:
        """Publish, and answer the names of what was written and of what was deleted."""
        publication = self.compare()
        for _, made in publication.writes:
            self.hold(made)
        for namespace, name in publication.deletes:
            del self.maps[name]
            self.observed.remove(CONFIG_MAP, {"metadata": {"namespace": namespace, "name": name}})
        written = [made["metadata"]["name"] for _, made in publication.writes]
        return written, [name for _, name in publication.deletes]

    def hold(self, config_map: KubeObject) -> None:
        """A ConfigMap as somebody has written it."""
        self.version += 1
        metadata = {**config_map["metadata"], "resourceVersion": str(self.version)}
        self.maps[metadata["name"]] = {**config_map, "metadata": metadata}
        self.observed.put(CONFIG_MAP, self.maps[metadata["name"]])


def shop() -> World:
    """A gateway that serves an API with one open plan."""
    world = World()
    world.put(gateway(), api(), plan())
    return world
