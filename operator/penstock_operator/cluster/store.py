"""What the API server says of users' objects, event by event, as the resources that the pipeline works on.

An event that changes nothing but a status, or that comes late, marks nothing dirty. What cannot be parsed
leaves its last good version in place and is told apart, so that its status can say what is wrong with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from penstock_operator.admission.neighbours import NeighbourIndex
from penstock_operator.cluster.kinds import NAMESPACE, SECRET, SERVICE, Kind
from penstock_operator.graph.types import ResourceId
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.resources.problems import Problem
from penstock_operator.resources.service import Service, service_of

_NOT_OURS: Final = ("helm.sh/", "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token")
"""Types of Secrets that no API refers to; those of Helm are large and many."""
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Unparsed:
    """An object that is no resource of this version, and why."""

    data: KubeObject
    problems: tuple[Problem, ...]


class Store:
    """The newest known state; `on_change` is called where something changed that matters."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.resources: dict[ResourceId, Parsed] = {}
        self.unparsed: dict[ResourceId, Unparsed] = {}
        self.namespaces: dict[str, dict[str, str]] = {}
        self.services: dict[str, Service] = {}
        """By `namespace/name`."""
        self.neighbours = NeighbourIndex(self.services)
        self._on_change = on_change
        self._versions: dict[ResourceId, int] = {}
        self._by_kind: defaultdict[str, dict[ResourceId, Parsed]] = defaultdict(dict)

    def put(self, kind: Kind, found: KubeObject) -> None:
        """An object as it is now."""
        metadata = found["metadata"]
        if kind is NAMESPACE:
            self._put_namespace(metadata)
            return
        name = ResourceId(kind.name, metadata.get("namespace", ""), metadata["name"])
        version = int(metadata.get("resourceVersion") or 0)
        if version < self._versions.get(name, 0):
            return
        self._versions[name] = version
        if kind is SERVICE:
            self._put_service(name.key, service_of(found))
            return
        if metadata.get("deletionTimestamp"):
            self._forget(name)
        elif kind is not SECRET or not str(found.get("type", "")).startswith(_NOT_OURS):
            self._take(kind, name, found)

    def remove(self, kind: Kind, found: KubeObject) -> None:
        """An object is gone."""
        metadata = found["metadata"]
        if kind is NAMESPACE:
            if self.namespaces.pop(metadata["name"], None) is not None:
                self._on_change()
            return
        name = ResourceId(kind.name, metadata.get("namespace", ""), metadata["name"])
        self._versions.pop(name, None)
        if kind is not SERVICE:
            self._forget(name)
        elif self.services.pop(name.key, None) is not None:
            self._on_change()

    def versions(self, kind: Kind) -> dict[tuple[str, str], int]:
        """The resourceVersions of all known objects of a kind, by namespace and name."""
        if kind is NAMESPACE:
            return {("", name): 0 for name in self.namespaces}
        return {
            (name.namespace, name.name): version
            for name, version in self._versions.items()
            if name.kind == kind.name
        }

    def count(self, kind: Kind) -> int:
        """How many objects of a kind are there."""
        unread = sum(name.kind == kind.name and name not in self.resources for name in self.unparsed)
        return len(self._by_kind[kind.name]) + unread

    def of_kind(self, kind: str) -> Mapping[ResourceId, Parsed]:
        """The resources of a kind."""
        return self._by_kind[kind]

    def broken(self) -> frozenset[str]:
        """`Kind namespace/name` of what is there but could not be parsed."""
        return frozenset(map(str, self.unparsed))

    def _put_namespace(self, metadata: Mapping[str, Any]) -> None:
        labels = dict(metadata.get("labels") or {})
        if self.namespaces.get(metadata["name"]) != labels:
            self.namespaces[metadata["name"]] = labels
            self._on_change()

    def _put_service(self, key: str, service: Service) -> None:
        if self.services.get(key) != service:
            self.services[key] = service
            self._on_change()

    def _take(self, kind: Kind, name: ResourceId, found: KubeObject) -> None:
        data = _stripped(kind, found)
        before = self.unparsed.get(name) or self.resources.get(name)
        known = before.data if isinstance(before, Unparsed) else before.manifest.data if before else None
        if known is not None and _same(known, data):
            return
        self._parse(name, data)
        self._on_change()

    def _parse(self, name: ResourceId, data: KubeObject) -> None:
        outcome = parse(Manifest("", 0, 0, data))
        if isinstance(outcome, Parsed):
            self.unparsed.pop(name, None)
            self.resources[name] = self._by_kind[name.kind][name] = outcome
            self.neighbours.upsert(outcome)
        elif isinstance(outcome, tuple):
            self.unparsed[name] = Unparsed(data, outcome)
        self.neighbours.broken = self.broken()

    def _forget(self, name: ResourceId) -> None:
        gone = self.unparsed.pop(name, None)
        self._by_kind[name.kind].pop(name, None)
        if self.resources.pop(name, None) is None and gone is None:
            return
        self.neighbours.remove(name)
        self.neighbours.broken = self.broken()
        self._on_change()


class Contents(Mapping[ResourceId, KubeObject]):
    """All objects of a store as data, the unparsed ones as they are now; a look at one copies nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, name: ResourceId) -> KubeObject:
        unparsed = self._store.unparsed.get(name)
        return self._store.resources[name].manifest.data if unparsed is None else unparsed.data

    def __iter__(self) -> Iterator[ResourceId]:
        return iter(self._store.resources | self._store.unparsed)

    def __len__(self) -> int:
        return len(self._store.resources | self._store.unparsed)


def _stripped(kind: Kind, found: KubeObject) -> KubeObject:
    """Without what others wrote for themselves: it is large, and changes without meaning."""
    metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
    annotations = metadata.get("annotations")
    if annotations and _LAST_APPLIED in annotations:
        metadata["annotations"] = {k: v for k, v in annotations.items() if k != _LAST_APPLIED}
    kept = {key: value for key, value in found.items() if key != "metadata"}
    return {"apiVersion": kind.api_version, "kind": kind.name, **kept, "metadata": metadata}


def _same(one: KubeObject, other: KubeObject) -> bool:
    """Whether two states differ in nothing but their status and resourceVersion."""
    return _meaning(one) == _meaning(other)


def _meaning(data: KubeObject) -> KubeObject:
    metadata = {key: value for key, value in data["metadata"].items() if key != "resourceVersion"}
    return {**{key: value for key, value in data.items() if key != "status"}, "metadata": metadata}
