"""kopf's events -> the store and the observed state. The handlers write nothing to any object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import kopf

from penstock_operator.cluster.kinds import NAMESPACE, RESOURCES, SECRET, SERVICE, WATCHED, Kind, ObjectKey
from penstock_operator.cluster.observed import Observed
from penstock_operator.cluster.store import Store
from penstock_operator.deploy.identity import MANAGED_BY_LABEL, MANAGER
from penstock_operator.resources.kube import KubeObject

Relisted = Callable[[Kind], None]
"""Told that a kind is listed, at first or anew: what was deleted meanwhile makes no event."""


class Sink(Protocol):
    """Who keeps objects of some kinds."""

    def put(self, kind: Kind, found: KubeObject) -> None:
        """An object as it is now."""
        ...

    def remove(self, kind: Kind, found: KubeObject) -> None:
        """An object is gone."""
        ...

    def versions(self, kind: Kind) -> dict[tuple[str, str], int]:
        """The resourceVersions of all known objects of a kind, by namespace and name."""
        ...


class _Services:
    """Services are users' objects; those with our label are what runs gateways, too."""

    def __init__(self, store: Store, observed: Observed) -> None:
        self._store = store
        self._observed = observed

    def put(self, kind: Kind, found: KubeObject) -> None:
        self._store.put(kind, found)
        labels = found["metadata"].get("labels") or {}
        if labels.get(MANAGED_BY_LABEL) == MANAGER:
            self._observed.put(kind, found)
        else:
            self._forget(kind, found)

    def remove(self, kind: Kind, found: KubeObject) -> None:
        self._store.remove(kind, found)
        self._forget(kind, found)

    def versions(self, kind: Kind) -> dict[tuple[str, str], int]:
        return self._store.versions(kind)

    def _forget(self, kind: Kind, found: KubeObject) -> None:
        metadata = found["metadata"]
        if ObjectKey(kind.name, metadata["namespace"], metadata["name"]) in self._observed.objects:
            self._observed.remove(kind, found)


class Sinks:
    """Which sink keeps the objects of a kind."""

    def __init__(self, store: Store, observed: Observed) -> None:
        self._store = store
        self._observed = observed
        self._services = _Services(store, observed)
        self._users = frozenset((*RESOURCES, NAMESPACE))

    def of(self, kind: Kind) -> Sink:
        """The sink of a kind."""
        if kind is SERVICE:
            return self._services
        return self._store if kind in self._users or kind is SECRET else self._observed


def registry(kinds: tuple[Kind, ...], sinks: Sinks, relisted: Relisted) -> kopf.OperatorRegistry:
    """Handlers for the events of all kinds."""
    made = kopf.OperatorRegistry()
    for kind in kinds:
        _register(made, kind, sinks.of(kind), relisted)
    return made


def _register(made: kopf.OperatorRegistry, kind: Kind, sink: Sink, relisted: Relisted) -> None:
    async def take(event: Mapping[str, Any], **_: Any) -> None:
        if event["type"] == "DELETED":
            sink.remove(kind, event["object"])
            return
        if event["type"] is None:
            relisted(kind)
        sink.put(kind, event["object"])

    kopf.on.event(kind.group, kind.version, kind.plural, registry=made, id=f"take-{kind.plural}")(take)


def settings() -> kopf.OperatorSettings:
    """kopf as a source of events alone: it posts nothing and asks the API server only for what matters."""
    made = kopf.OperatorSettings()
    made.posting.enabled = False
    made.peering.standalone = True
    made.scanning.disabled = True
    made.queueing.idle_timeout = 1.0
    made.watching.chunk_size = 500
    for kind in WATCHED:
        if kind.selector:
            made.watching.label_selectors[kind.group, kind.version, kind.plural] = kind.selector
    return made
