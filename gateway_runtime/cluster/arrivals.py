"""What is published to what can be routed: an API waits until it is known where its Services are.

An API that serves keeps its section before while a namespace is read that the new one needs; a new API waits
for a moment, then goes without: it answers 503 until its Services are found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway_runtime.snapshot.references import api_services
from gateway_runtime.snapshot.types import ApiEntry, ServicePort, Snapshot

PATIENCE: Final = 2.0
"""Seconds that a new API waits where its Services cannot be followed."""
READING: Final = 30.0
"""Seconds that it waits while they were not looked at yet."""


class Whereabouts(Protocol):
    """What is known of Services now."""

    def is_known(self, port: ServicePort) -> bool:
        """Whether it is known where a port is, were it nowhere."""
        ...

    def is_unread(self, port: ServicePort) -> bool:
        """Whether it was not looked for yet."""
        ...

    def problem(self, port: ServicePort) -> str:
        """Why it is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Arrived:
    """What can be routed, all ports to follow, what is wrong by API, and when to look again."""

    snapshot: Snapshot
    ports: frozenset[ServicePort]
    errors: Mapping[str, str]
    again_at: float | None


@dataclass(frozen=True, slots=True)
class _Routed:
    """An entry and the ports that its endpoints stand for."""

    entry: ApiEntry
    ports: frozenset[ServicePort]


@dataclass(slots=True)
class _Turn:
    """What one look at all APIs gathers."""

    now: float
    apis: dict[str, ApiEntry] = field(default_factory=dict)
    ports: set[ServicePort] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)
    deadlines: list[float] = field(default_factory=list)


class Arrivals:
    """Remembers of each API what was routed last, and since when it waits."""

    def __init__(self, whereabouts: Whereabouts) -> None:
        self._whereabouts = whereabouts
        self._newest: dict[str, _Routed] = {}
        self._routed: dict[str, _Routed] = {}
        self._since: dict[str, float] = {}

    def pass_through(self, published: Snapshot, now: float) -> Arrived:
        """What can be routed at this moment, in monotonic seconds."""
        turn = _Turn(now)
        self._forget(published)
        for key, entry in published.apis.items():
            known = self._newest.get(key)
            if known is None or known.entry is not entry:
                known = self._newest[key] = _Routed(entry, api_services(entry.section))
            self._pass(key, known, turn)
        snapshot = Snapshot(gateway=published.gateway, apis=turn.apis, subscriptions=published.subscriptions)
        return Arrived(snapshot, frozenset(turn.ports), turn.errors, min(turn.deadlines, default=None))

    def _pass(self, key: str, api: _Routed, turn: _Turn) -> None:
        turn.ports |= api.ports
        lacking = [port for port in api.ports if not self._whereabouts.is_known(port)]
        before = self._routed.get(key)
        if not lacking:
            self._since.pop(key, None)
            self._route(key, api, turn)
            return
        turn.errors[key] = "; ".join(sorted({self._whereabouts.problem(port) for port in lacking}))
        if before is not None:
            self._route(key, before, turn)
            return
        patience = READING if any(map(self._whereabouts.is_unread, lacking)) else PATIENCE
        deadline = self._since.setdefault(key, turn.now) + patience
        if turn.now < deadline:
            turn.deadlines.append(deadline)
        else:
            turn.apis[key] = api.entry

    def _route(self, key: str, api: _Routed, turn: _Turn) -> None:
        self._routed[key] = api
        turn.apis[key] = api.entry
        turn.ports |= api.ports

    def _forget(self, published: Snapshot) -> None:
        for known in (self._newest, self._routed, self._since):
            for key in [key for key in known if key not in published.apis]:
                del known[key]
