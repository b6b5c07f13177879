"""The Kafka side of one worker: its APIs, who comes for which, and the connections of all clients."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import Counter as Counts
from collections.abc import Callable, Iterable
from time import time
from typing import Final, cast

from gateway_runtime.connections.kafka_api import KafkaApiServer, serve_api
from gateway_runtime.connections.kafka_client import KafkaConnection
from gateway_runtime.program.compile import Surroundings
from gateway_runtime.program.program import changed_apis, users_of
from gateway_runtime.snapshot.codec import Delta
from gateway_runtime.snapshot.kafka import KafkaListener
from gateway_runtime.snapshot.types import GatewaySection, Snapshot
from gateway_runtime.stats import KafkaStats, WorkerStats

_SWEEP: Final = 1.0
_SPREAD: Final = 1.0
"""Seconds over which connections are closed that are to come anew, so that not all do so at once."""

Found = tuple[KafkaApiServer, int | None]
"""An API, and the broker that the client has come for: None for any."""


class KafkaGateway:
    """Serves the Kafka APIs of a snapshot."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stats: WorkerStats) -> None:
        self._loop = loop
        self._stats = stats
        self._apis: dict[str, KafkaApiServer] = {}
        self._errors: dict[str, str] = {}
        self._by_port: dict[int, Found] = {}
        self._by_name: dict[tuple[str, str], KafkaApiServer] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._connections: set[KafkaConnection] = set()
        self._held: Counts[tuple[str, str]] = Counts()
        self._limit = 0
        self._is_draining = False
        self._idle = asyncio.Event()
        self._timer = loop.call_later(_SWEEP, self._sweep)

    # -- configuration

    def apply(
        self, snapshot: Snapshot, delta: Delta, moved: Iterable[str], surroundings: Surroundings
    ) -> dict[str, str]:
        """Serve a snapshot, to which `delta` led, with secrets of which `moved` have other values.

        Answers the APIs that could not be compiled, and why: of those the version before serves on.
        """
        self._limit = snapshot.gateway.limits.connections
        for key in delta.removed_apis:
            self._drop(key)
        changed = {*changed_apis(delta), *users_of(snapshot, moved)}
        if delta.gateway is not None:
            changed |= {key for key, entry in snapshot.apis.items() if entry.section.kafka is not None}
        is_changed = False
        for key in changed:
            entry = snapshot.apis.get(key)
            if entry is not None and entry.section.kafka is not None:
                self._compile(key, snapshot, surroundings)
                is_changed = True
            elif key in self._apis:
                self._drop(key)
        if is_changed or delta.removed_apis or delta.gateway is not None:
            self._index(snapshot.gateway)
        return dict(self._errors)

    def _compile(self, key: str, snapshot: Snapshot, surroundings: Surroundings) -> None:
        before = self._apis.get(key)
        subscriptions = snapshot.subscriptions.get(key)
        served = serve_api(
            snapshot.apis[key].section,
            snapshot.gateway,
            None if subscriptions is None else subscriptions.section,
            surroundings,
            before,
        )
        if isinstance(served, str):
            self._errors[key] = served
            return
        self._errors.pop(key, None)
        self._apis[key] = served
        if before is not None:
            self._follow(before, served)

    def _follow(self, before: KafkaApiServer, served: KafkaApiServer) -> None:
        """Connections stay where only subscriptions have changed; else they come anew, one by one."""
        stays = served.is_alike(before)
        for connection in [one for one in self._connections if one.api is before]:
            if stays:
                connection.api = served
            else:
                self._loop.call_later(random.uniform(0, _SPREAD), connection.retire)  # noqa: S311
        self._check()

    def _drop(self, key: str) -> None:
        self._errors.pop(key, None)
        self._stats.kafka.pop(key, None)
        gone = self._apis.pop(key, None)
        for connection in [one for one in self._connections if gone is not None and one.api is gone]:
            connection.retire()

    def _index(self, gateway: GatewaySection) -> None:
        """Who is found by which port and which name."""
        self._by_port, self._by_name = {}, {}
        for api in self._apis.values():
            kafka = api.kafka
            if kafka.port:
                self._by_port[kafka.port] = (api, None)
                for offset in range(kafka.brokers):
                    self._by_port[kafka.port + 1 + offset] = (api, kafka.first_broker + offset)
            self._by_name[(kafka.name, api.info.namespace)] = api
            self._by_name.setdefault((kafka.name, ""), api)
        hosts = [one for one in gateway.kafka_listeners if one.bootstrap]
        self._patterns = {
            pattern: _compiled(pattern) for one in hosts for pattern in (one.bootstrap, one.broker)
        }

    def find(self, listener: KafkaListener, port: int, name: str) -> Found | None:
        """What a client has come for, by the port or by the name that it asked for."""
        if not listener.bootstrap:
            return self._by_port.get(port)
        for pattern in (listener.broker, listener.bootstrap):
            match = self._patterns[pattern].fullmatch(name) if pattern in self._patterns else None
            if match is None:
                continue
            parts = match.groupdict()
            api = self._by_name.get((parts["api"], parts.get("namespace", "")))
            if api is not None:
                broker = parts.get("broker")
                return api, None if broker is None else int(broker)
        return None

    # -- connections

    def factory(self, listener: KafkaListener, port: int) -> Callable[[], asyncio.BaseProtocol]:
        """What makes the protocol of each connection that is accepted at a port of a listener."""
        return lambda: cast("asyncio.BaseProtocol", KafkaConnection(self, listener, port))

    def admit(self, connection: KafkaConnection) -> bool:
        """Whether there is room for one connection more."""
        self._stats.connections_total += 1
        if self._is_draining or len(self._connections) >= self._limit:
            self._stats.connections_refused += 1
            return False
        self._connections.add(connection)
        self._stats.connections_open += 1
        return True

    def stats(self, key: str) -> KafkaStats:
        """The counters of an API."""
        return self._stats.kafka_api(key)

    def enter(self, connection: KafkaConnection) -> str:
        """Count a connection that has authenticated; why it is one too many, empty where it is not."""
        api, admitted = connection.api, connection.admitted
        assert api is not None and admitted is not None
        # Of clients without a name those of one address count together.
        name = connection.address if admitted.method == "keyless" else admitted.principal
        holder = (api.key, name)
        if self._held[holder] >= api.kafka.limits.connections:
            return f"{name} has {self._held[holder]} connections, the most that it may have"
        self._held[holder] += 1
        connection.holder = holder
        return ""

    def forget(self, connection: KafkaConnection) -> None:
        """A client's connection is gone."""
        if connection in self._connections:
            self._connections.remove(connection)
            self._stats.connections_open -= 1
        if connection.holder is not None:
            self._held[connection.holder] -= 1
            if not self._held[connection.holder]:
                del self._held[connection.holder]
        if not self._connections:
            self._idle.set()

    def _sweep(self) -> None:
        self._check()
        self._timer = self._loop.call_later(_SWEEP, self._sweep)

    def _check(self) -> None:
        """End the connections of those whose right has ended."""
        now = time()
        for connection in list(self._connections):
            api, admitted = connection.api, connection.admitted
            if api is not None and admitted is not None:
                reason = api.admission.still_holds(admitted, now)
                if reason:
                    connection.end(f"its right has ended: {reason}", reason)

    async def drain(self, seconds: float) -> int:
        """Let all connections end as soon as nothing is awaited; answers how many were cut at the limit."""
        self._is_draining = True
        self._idle.clear()
        for connection in list(self._connections):
            connection.retire()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)
        cut = list(self._connections)
        for connection in cut:
            connection.abort()
        self._timer.cancel()
        return len(cut)


_PLACES: Final = {
    "api": r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?",
    "namespace": r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?",
    "broker": r"[0-9]{1,9}",
}
"""What may stand in a host name for each placeholder."""


def _compiled(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern.lower())
    for name, form in _PLACES.items():
        text = text.replace(rf"\{{{name}\}}", f"(?P<{name}>{form})", 1)
    return re.compile(text)
