"""The Kafka side of one worker: what Kafka listeners accept. As yet it closes all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

from gateway_runtime.program.compile import Surroundings
from gateway_runtime.snapshot.codec import Delta
from gateway_runtime.snapshot.kafka import KafkaListener
from gateway_runtime.snapshot.types import Snapshot
from gateway_runtime.stats import WorkerStats


class KafkaGateway:
    """Serves the Kafka APIs of a snapshot."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stats: WorkerStats) -> None:
        self._loop = loop
        self._stats = stats

    def apply(
        self, snapshot: Snapshot, delta: Delta, moved: Iterable[str], surroundings: Surroundings
    ) -> dict[str, str]:
        """Serve a snapshot, to which `delta` led, with secrets of which `moved` have other values.

        Answers the APIs that could not be compiled, and why.
        """
        return {}

    def factory(self, listener: KafkaListener, port: int) -> Callable[[], asyncio.BaseProtocol]:
        """What makes the protocol of each connection that is accepted at a port of a listener."""
        return _Closing

    async def drain(self, seconds: float) -> int:
        """Let all connections end; answers how many were cut at the limit."""
        return 0


class _Closing(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).close()
