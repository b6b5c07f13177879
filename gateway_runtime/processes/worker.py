"""A worker process: one event loop, one gateway, and the channel to its supervisor.

Started as `python -m gateway_runtime.processes.worker CHANNEL DESCRIPTORS COUNTERS`, with the numbers of
inherited descriptors; COUNTERS is -1 where it is the only worker.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from typing import Final

import uvloop

from gateway_runtime.admin.access_log import AccessLog
from gateway_runtime.connections.gateway import Gateway
from gateway_runtime.counters.local import LocalCounter
from gateway_runtime.counters.shared import SharedCounter
from gateway_runtime.policies.base import Counter
from gateway_runtime.processes.allocator import give_back, keep_buffers
from gateway_runtime.processes.counted import Changes
from gateway_runtime.processes.memory import seal_memory
from gateway_runtime.processes.messages import (
    MAX_DESCRIPTORS,
    AskStats,
    Configure,
    Configured,
    Discover,
    Drain,
    Listen,
    Stats,
    ToWorker,
    Unlisten,
    frame,
    read_order,
)
from gateway_runtime.snapshot.codec import apply, difference
from gateway_runtime.snapshot.types import Snapshot
from gateway_runtime.stats import WorkerStats

_FLUSH_SECONDS: Final = 0.2
_REPORT_SECONDS: Final = 1.0
_MAX_UNREAD: Final = 1 << 20
_LOG: Final = logging.getLogger(__name__)


class Worker:
    """Does what the supervisor says, one message after the other."""

    def __init__(self, descriptors: socket.socket, counter: Counter) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptors = descriptors
        self._stats = WorkerStats()
        self._changes = Changes(self._stats)
        self._access_log = AccessLog(_own_stdout())
        self._gateway = Gateway(self._loop, counter, self._stats, self._access_log)
        self._snapshot = Snapshot()
        self._flush()

    def _flush(self) -> None:
        self._access_log.flush()
        self._loop.call_later(_FLUSH_SECONDS, self._flush)

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve until told to stop, or until the supervisor is gone."""
        self._report(writer)
        seconds = await self._serve(reader, writer)
        cut = await self._gateway.drain(seconds)
        if cut:
            _LOG.warning("%d connections were cut after %g s", cut, seconds)
        self._access_log.flush()

    def _report(self, writer: asyncio.StreamWriter) -> None:
        """Send the counters unasked: what the supervisor has of them outlives this process."""
        transport = writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() < _MAX_UNREAD:
            writer.write(frame(self._counters()))
        self._loop.call_later(_REPORT_SECONDS, self._report, writer)

    def _counters(self) -> Stats:
        return Stats({**self._changes.take(), "access_log_dropped": self._access_log.dropped})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        """Do what the supervisor says; answers how long to drain."""
        try:
            while True:
                order = await read_order(reader)
                if isinstance(order, Drain):
                    return order.seconds
                answer = await self._obey(order)
                if answer is not None:
                    writer.write(frame(answer))
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            _LOG.warning("the supervisor is gone: draining")
            return self._snapshot.gateway.timeouts.drain

    async def _obey(self, order: ToWorker) -> Configured | Stats | None:
        if isinstance(order, Configure):
            return self._configure(order)
        if isinstance(order, Listen):
            await self._listen(order)
        elif isinstance(order, Unlisten):
            await self._gateway.unlisten(order.address, order.port)
        elif isinstance(order, Discover):
            self._gateway.discover(order.addresses)
        elif isinstance(order, AskStats):
            return self._counters()
        return None

    def _configure(self, order: Configure) -> Configured:
        if order.snapshot is not None:
            snapshot = order.snapshot
            delta = difference(self._snapshot, snapshot)
        elif order.delta is not None:
            delta = order.delta
            snapshot = apply(self._snapshot, delta)
        errors = self._gateway.apply(snapshot, delta, order.secrets)
        self._snapshot = snapshot
        if order.snapshot is not None:
            # What was just made stays: the collector need not look at it again and again.
            gc.collect()
            gc.freeze()
            give_back()
        return Configured(order.serial, errors)

    async def _listen(self, order: Listen) -> None:
        _, descriptors, _, _ = socket.recv_fds(self._descriptors, 1, MAX_DESCRIPTORS)
        sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        for opening, listening in zip(order.openings, sockets, strict=True):
            listening.setblocking(False)
            if opening.http is not None:
                await self._gateway.listen(opening.http, listening)
            elif opening.kafka is not None:
                await self._gateway.listen_kafka(opening.kafka, opening.port, listening)


def _own_stdout() -> int:
    """Standard output with a file description of its own, so that no other process sees it not blocking."""
    try:
        return os.open("/proc/self/fd/1", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
    except OSError:
        return os.dup(1)


async def _main(channel: int, descriptors: int, counters: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=channel), limit=1 << 22)
    counter = LocalCounter() if counters < 0 else SharedCounter(counters)
    await Worker(socket.socket(fileno=descriptors), counter).run(reader, writer)


def main() -> None:
    """Run a worker."""
    seal_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="penstock worker %(process)d: %(message)s")
    keep_buffers()
    gc.set_threshold(50_000, 20, 100)
    uvloop.run(_main(*[int(argument) for argument in sys.argv[1:4]]))


if __name__ == "__main__":
    main()
