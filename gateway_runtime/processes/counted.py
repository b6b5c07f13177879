"""The counters of one worker slot, on both ends of its channel.

A worker sends what has changed; the supervisor puts that together, and keeps the sums of processes that are
gone. A process that is killed takes with it what it counted since its last message, and no more.
"""

from __future__ import annotations

from collections.abc import Container
from itertools import product
from typing import Any, Final

from gateway_runtime.admin.totals import Counters, add
from gateway_runtime.stats import ApiStats, WorkerStats

_NO_API: Final = "-"
_OF_A_PROCESS: Final = ("connections_open", "upstream_connections_open")
_PLAIN: Final = (
    *_OF_A_PROCESS,
    "connections_total",
    "connections_refused",
    "upstream_connections_total",
    "upstream_retries",
    "reloads",
    "reload_seconds",
)


class Changes:
    """What of a worker's counters has changed since the last time that one asked."""

    def __init__(self, stats: WorkerStats) -> None:
        self._stats = stats
        self._told: dict[str, int] = {}

    def take(self) -> Counters:
        """The counters of the process, and those of the APIs that have served since the last call."""
        stats = self._stats
        counters: Counters = {name: getattr(stats, name) for name in _PLAIN}
        counters["apis"] = {key: api.dump() for key, api in stats.apis.items() if self._has_changed(key, api)}
        counters["kafka"] = {key: api.dump() for key, api in stats.kafka.items()}
        return counters

    def _has_changed(self, key: str, api: ApiStats) -> bool:
        if not api.statuses and not api.errors:
            return False
        events = sum(api.statuses.values()) + sum(api.errors.values())
        if self._told.get(key) == events:
            return False
        self._told[key] = events
        return True


class Counted:
    """What the processes of one slot have counted, as far as the supervisor was told."""

    def __init__(self) -> None:
        self._living: Counters = {}
        self._lost: Counters = {}

    def hear(self, changes: Counters) -> None:
        """Take what `Changes.take` said."""
        apis: dict[str, Any] = self._living.get("apis", {})
        self._living = {**changes, "apis": {**apis, **changes["apis"]}}

    def bury(self) -> None:
        """The process is gone: what it counted stays, what it held open does not."""
        gone: Counters = dict.fromkeys(_OF_A_PROCESS, 0)
        kafka = self._living.get("kafka", {})
        gone["kafka"] = {key: {**counters, "connections_open": 0} for key, counters in kafka.items()}
        self._lost = add(self._lost, {**self._living, **gone}) if self._living else self._lost
        self._living = {}

    def keep(self, apis: Container[str]) -> None:
        """Forget the APIs that are not served any more."""
        for kind, counters in product(("apis", "kafka"), (self._living, self._lost)):
            known: dict[str, Any] = counters.get(kind, {})
            for key in [key for key in known if key != _NO_API and key not in apis]:
                del known[key]

    def total(self) -> Counters:
        """The sums over all processes of the slot."""
        return add(self._lost, self._living)
