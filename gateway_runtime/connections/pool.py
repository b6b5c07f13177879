"""The connections to one backend address: kept alive, bounded, the most recently used first."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from functools import cache, partial
from typing import TYPE_CHECKING, Final, cast

from gateway_runtime.connections.upstream import UpstreamConnection
from gateway_runtime.program.endpoints import Origin
from gateway_runtime.stats import WorkerStats

if TYPE_CHECKING:
    from gateway_runtime.connections.transaction import Transaction

MAX_CONNECTIONS: Final = 1024
MAX_WAITING: Final = 4096
IDLE_SECONDS: Final = 55.0
"""Shorter than the keep-alive time of common servers, so that they seldom close first."""


@cache
def _tls_context() -> ssl.SSLContext:
    """One context for all backends: it holds the system's authorities, which take room."""
    return ssl.create_default_context()


class Pool:
    """Connections to one origin. At most `MAX_CONNECTIONS` stand; `MAX_WAITING` transactions may queue."""

    __slots__ = ("_loop", "_now", "_retired", "_stats", "_tls", "_waiting", "idle", "open", "origin", "tasks")

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop, stats: WorkerStats) -> None:
        self.origin = origin
        self.idle: list[UpstreamConnection] = []
        self.open: int = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self._loop = loop
        self._now: float = loop.time()
        """The time of the last sweep: exact enough to tell what is idle, and free."""
        self._retired: bool = False
        self._stats = stats
        self._tls: ssl.SSLContext | None = _tls_context() if origin.secure else None
        self._waiting: deque[Transaction] = deque()

    def acquire(self, transaction: Transaction, fresh: bool) -> UpstreamConnection | None:
        """An idle connection; None where the transaction will be called back with one.

        `fresh` asks for a new connection. A full queue calls `on_upstream_error` at once.
        """
        if not fresh:
            while self.idle:
                connection = self.idle.pop()
                if connection.is_sound():
                    return connection
        if self.open < MAX_CONNECTIONS:
            self._connect(transaction)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append(transaction)
        else:
            transaction.on_upstream_error("GATEWAY_OVERLOADED", "too many requests wait for the backend")
        return None

    def release(self, connection: UpstreamConnection) -> None:
        """Take back a sound connection: the next waiting transaction gets it."""
        while self._waiting:
            transaction = self._waiting.popleft()
            if transaction.waits_for(self.origin):
                transaction.on_upstream(connection)
                return
        if self._retired:
            connection.close()
            return
        connection.idle_since = self._now
        self.idle.append(connection)

    def opened(self) -> None:
        """A connection stands: from now on `closed` follows it."""
        self._stats.upstream_connections_open += 1
        self._stats.upstream_connections_total += 1

    def closed(self, connection: UpstreamConnection) -> None:
        """A connection is gone."""
        self.open -= 1
        self._stats.upstream_connections_open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        self._connect_waiting()

    def sweep(self, now: float) -> None:
        """Close the connections that have been idle for too long; the oldest are in front."""
        self._now = now
        while self.idle and self.idle[0].idle_since + IDLE_SECONDS < now:
            self.idle.pop(0).close()

    def retire(self) -> None:
        """Close what is idle, now and later: no program uses this backend any more."""
        self._retired = True
        for connection in self.idle:
            connection.close()
        self.idle.clear()

    def _connect_waiting(self) -> None:
        while self._waiting and self.open < MAX_CONNECTIONS:
            transaction = self._waiting.popleft()
            if transaction.waits_for(self.origin):
                self._connect(transaction)
                return

    def _connect(self, transaction: Transaction) -> None:
        self.open += 1
        task = self._loop.create_task(self._open(transaction))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        transaction.connecting = task

    async def _open(self, transaction: Transaction) -> None:
        connection = UpstreamConnection(self)
        try:
            await self._loop.create_connection(
                partial(cast, "asyncio.Protocol", connection),
                self.origin.host,
                self.origin.port,
                ssl=self._tls,
                server_hostname=self.origin.server_name if self._tls is not None else None,
            )
        except asyncio.CancelledError:
            self._give_up(connection)
            raise
        except (OSError, ssl.SSLError) as error:
            self._give_up(connection)
            transaction.on_connect_failed(str(error))
            return
        if not connection.is_sound():
            transaction.on_connect_failed("the backend closed the connection at once")
        elif transaction.waits_for(self.origin):
            transaction.on_upstream(connection)
        else:
            self.release(connection)

    def _give_up(self, connection: UpstreamConnection) -> None:
        if connection.transport is not None:
            connection.abort()
            connection.connection_lost(None)  # uvloop calls it for no connection whose task was cancelled
            return
        self.open -= 1
        self._connect_waiting()
