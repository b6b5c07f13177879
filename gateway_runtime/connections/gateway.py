"""The data plane of one worker: listeners, the program that serves, pools, and the sweep of deadlines."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from gateway_runtime.admin.access_log import AccessLog
from gateway_runtime.connections.access import access_record
from gateway_runtime.connections.client import ClientConnection
from gateway_runtime.connections.forwarded import TrustedProxies
from gateway_runtime.connections.handshakes import SETTLE_SECONDS
from gateway_runtime.connections.listeners import Listening, stop_accepting
from gateway_runtime.connections.pool import Pool
from gateway_runtime.connections.wire import CLOSE, DateField, phrase, response_bytes
from gateway_runtime.exchange import Headers, Reply, Response, field_line
from gateway_runtime.policies.base import Counter
from gateway_runtime.program.compile import Surroundings
from gateway_runtime.program.endpoints import Origin
from gateway_runtime.program.program import (
    Program,
    changed_secrets,
    compile_program,
    recompile,
    update_program,
    users_of,
)
from gateway_runtime.program.router import Router
from gateway_runtime.program.templates import own_error
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.security.jwks import KeySets
from gateway_runtime.snapshot.codec import Delta
from gateway_runtime.snapshot.kafka import KafkaListener
from gateway_runtime.snapshot.types import Address, GatewaySection, HttpListener, Snapshot
from gateway_runtime.stats import WorkerStats

if TYPE_CHECKING:
    from gateway_runtime.connections.kafka_listeners import KafkaListeners
    from gateway_runtime.connections.response_phase import ResponsePhase

_SWEEP_SECONDS: Final = 0.25
_POOL_SWEEP_TICKS: Final = 20
_DRAIN_IDLE_SECONDS: Final = 1.0


class Gateway:
    """Serves one program at a time; a new one is swapped in by one assignment."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, counter: Counter, stats: WorkerStats, access_log: AccessLog
    ) -> None:
        self.loop = loop
        self.stats = stats
        self.program = Program(Snapshot(), Router())
        self.clock: float = loop.time()
        """The loop's time at the last sweep: exact enough for deadlines, and free."""
        self.date = DateField()
        self.draining: bool = False
        self._access_log = access_log
        self._counter = counter
        self._key_sets = KeySets()
        self._secrets: dict[str, SecretText] = {}
        self._addresses: dict[str, tuple[Address, ...]] = {}
        self._pools: dict[str, Pool] = {}
        self._connections: set[ClientConnection] = set()
        self._kafka: KafkaListeners | None = None
        self._listening: dict[Address, Listening] = {}
        self._ticks: int = 0
        self._idle = asyncio.Event()
        self._take_settings(GatewaySection())
        self._timer = loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _take_settings(self, section: GatewaySection) -> None:
        self.limits = section.limits
        self.timeouts = section.timeouts
        self.trusted = TrustedProxies(section.trusted_proxies)

    # -- configuration

    def apply(self, snapshot: Snapshot, delta: Delta, secrets: Mapping[str, SecretText]) -> dict[str, str]:
        """Serve `snapshot`, to which `delta` led; answers all APIs that could not be compiled, and why.

        Under the empty key is what is wrong with listeners. `secrets` maps each URI that the snapshot names
        to its value.
        """
        begun = monotonic()
        moved = changed_secrets(self._secrets, secrets)
        self._secrets = dict(secrets)
        surroundings = Surroundings(
            self._counter, self.stats.api, self._key_sets.source, self._secrets, self._addresses
        )
        if not self.program.snapshot.apis:
            program = compile_program(snapshot, surroundings)
        else:
            program = update_program(self.program, delta, snapshot, surroundings)
            if moved:
                program = recompile(program, users_of(snapshot, moved), surroundings)
        self._take_settings(snapshot.gateway)
        self.program = program
        self._retire_pools()
        for key in delta.removed_apis:
            self.stats.apis.pop(key, None)
        self.stats.reloads += 1
        self.stats.reload_seconds += monotonic() - begun
        return program.errors(program.apis) | self._apply_kafka(snapshot, delta, moved, surroundings)

    def _kafka_side(self) -> KafkaListeners:
        if self._kafka is None:
            # Only here, since a worker that serves HTTP alone does without the memory that it takes.
            from gateway_runtime.connections.kafka_listeners import KafkaListeners  # noqa: PLC0415

            self._kafka = KafkaListeners(self.loop, self.stats)
        return self._kafka

    def _apply_kafka(
        self, snapshot: Snapshot, delta: Delta, moved: list[str], surroundings: Surroundings
    ) -> dict[str, str]:
        if self._kafka is None and not snapshot.gateway.kafka_listeners:
            return {}
        return self._kafka_side().apply(snapshot, delta, moved, surroundings)

    def discover(self, changes: Mapping[str, tuple[Address, ...]]) -> None:
        """Send requests to these addresses of Services, by their keys; what is under way goes on."""
        for key, addresses in changes.items():
            if addresses:
                self._addresses[key] = addresses
            else:
                self._addresses.pop(key, None)
        for api in self.program.apis.values():
            for group in api.groups.values():
                if group.services and not group.services.isdisjoint(changes):
                    group.follow(self._addresses)
        self._retire_pools()

    def _retire_pools(self) -> None:
        used = {
            endpoint.origin.key
            for api in self.program.apis.values()
            for group in api.groups.values()
            for endpoint in group.endpoints
        }
        for key in [key for key in self._pools if key not in used]:
            self._pools.pop(key).retire()

    def pool(self, origin: Origin) -> Pool:
        """The connections to a backend."""
        pool = self._pools.get(origin.key)
        if pool is None:
            pool = self._pools[origin.key] = Pool(origin, self.loop, self.stats)
        return pool

    # -- listeners

    async def listen(self, listener: HttpListener, sock: socket.socket) -> None:
        """Accept on a listening socket, which now belongs to the gateway."""
        await self._open((listener.address, listener.port), Listening(self.loop, sock, self._factory))

    async def listen_kafka(self, listener: KafkaListener, port: int, sock: socket.socket) -> None:
        """Accept clients of Kafka APIs on the socket of one of a listener's ports."""
        await self._open((listener.address, port), self._kafka_side().at(listener, port, sock))

    async def _open(self, address: Address, listening: Listening) -> None:
        await listening.open()
        self._listening[address] = listening

    async def unlisten(self, address: str, port: int) -> None:
        """Accept there no more; connections go on, those among them that wait to be accepted."""
        if self._kafka is not None:
            self._kafka.forget((address, port))
        await stop_accepting([self._listening.pop((address, port))], SETTLE_SECONDS)

    def _factory(self) -> asyncio.Protocol:
        # Compiled classes cannot inherit from asyncio's; the loop asks only for the methods.
        return cast("asyncio.Protocol", ClientConnection(self))

    def admit(self, connection: ClientConnection) -> bool:
        """Whether there is room for one connection more."""
        self.stats.connections_total += 1
        if len(self._connections) >= self.limits.connections:
            self.stats.connections_refused += 1
            return False
        self._connections.add(connection)
        self.stats.connections_open += 1
        return True

    def forget(self, connection: ClientConnection) -> None:
        """A client's connection is gone."""
        if connection in self._connections:
            self._connections.remove(connection)
            self.stats.connections_open -= 1
        if self.draining and not self._connections:
            self._idle.set()

    # -- answers without a transaction

    def refuse(self, connection: ClientConnection, reply: Reply) -> None:
        """Write an error to a client whose bytes were no proper request."""
        stats = self.stats.api("-")
        stats.count_error(reply.key)
        stats.count(reply.status, 0.0)
        rendered = own_error(reply)
        headers = Headers([], [self.date.line(), b"content-length: %d" % len(rendered.body)])
        headers.lines += [field_line(name, value) for name, value in rendered.headers or ()]
        response = Response(reply.status, phrase(reply.status), headers)
        connection.write(response_bytes(response, CLOSE, b"", rendered.body))

    def log(self, transaction: ResponsePhase, seconds: float) -> None:
        """Write a transaction to the access log."""
        self._access_log.write(access_record(transaction, seconds))

    # -- time

    def _sweep(self) -> None:
        now = self.clock = self.loop.time()
        late = [connection for connection in self._connections if 0.0 < connection.deadline <= now]
        for connection in late:
            connection.on_deadline()
        if self.draining:
            self._hasten_idle()
        self._ticks += 1
        if self._ticks % _POOL_SWEEP_TICKS == 0:
            for pool in self._pools.values():
                pool.sweep(now)
        self._timer = self.loop.call_later(_SWEEP_SECONDS, self._sweep)

    # -- the end

    async def drain(self, seconds: float) -> int:
        """Stop accepting, end open requests with `Connection: close`; answers how many were cut at the limit.

        Connections that wait in an accept queue are taken first. Idle ones get one more second, for a request
        that may be on its way.
        """
        self.draining = True
        listening = list(self._listening.values())
        self._listening.clear()
        await stop_accepting(listening, min(seconds, SETTLE_SECONDS))
        kafka = None if self._kafka is None else self.loop.create_task(self._kafka.drain(seconds))
        self._hasten_idle()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)
        cut = list(self._connections)
        for connection in cut:
            connection.abort()
        cut_kafka = 0 if kafka is None else await kafka
        self._close()
        return len(cut) + cut_kafka

    def _hasten_idle(self) -> None:
        """Let no connection wait long for a request, nor one whose response began before the drain."""
        deadline = self.clock + _DRAIN_IDLE_SECONDS
        for connection in self._connections:
            if connection.transaction is None and connection.tunnel is None:
                connection.deadline = min(connection.deadline or deadline, deadline)

    def _close(self) -> None:
        self._timer.cancel()
        for pool in self._pools.values():
            pool.retire()
