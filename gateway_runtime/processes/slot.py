"""One worker slot of the supervisor: a process, its channel, and another process when that one dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from gateway_runtime.processes.counted import Counted
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
    read_answer,
)
from gateway_runtime.processes.sockets import ListeningSockets
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.snapshot.codec import difference
from gateway_runtime.snapshot.openings import Opening
from gateway_runtime.snapshot.types import Address, Snapshot

_LOG: Final = logging.getLogger(__name__)
_SHORT_LIFE: Final = 1.0
_MAX_PAUSE: Final = 5.0
_SILENT_SECONDS: Final = 60
_STATS_SECONDS: Final = 1.0
_EXIT_SECONDS: Final = 5.0

Wanted = tuple[Snapshot, Mapping[str, SecretText]]
"""What a worker is to serve, with the values of its secrets."""

ServiceAddresses = Mapping[str, tuple[Address, ...]]
"""Where Services are, by their keys."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The supervisor as its slots see it: what is wanted now, and who hears that a worker serves."""

    wanted: Callable[[], Wanted]
    addresses: Callable[[], ServiceAddresses]
    configured: Callable[[], None]


class WorkerSlot:
    """Keeps one worker running and told what to serve.

    One `Configure` is under way at most: what changes meanwhile is sent as one delta once it is answered, so
    that a slow worker holds up nobody and needs no queue.
    """

    def __init__(self, number: int, sockets: ListeningSockets, counters: int, orders: Orders) -> None:
        self.number = number
        self.restarts: int = 0
        self.counted = Counted()
        """What its processes have counted, the dead ones among them."""
        self.errors: dict[str, str] = {}
        """APIs that the worker could not compile."""
        self._sockets = sockets
        self._counters = counters
        self._orders = orders
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._descriptors: socket.socket | None = None
        self._served: Snapshot | None = None
        self._sent: Wanted | None = None
        self._sent_at: float = 0.0
        self._told: Wanted | None = None
        self._serial: int = 0
        self._silent: int = 0
        self._waiting: asyncio.Future[None] | None = None
        self._listening: bool = False
        self._stopping: bool = False

    @property
    def pid(self) -> int | None:
        """The process id of the worker."""
        return None if self._process is None else self._process.pid

    def is_ready(self) -> bool:
        """Whether the worker serves what is wanted, or will within the time that a change takes."""
        if self._served is None or self._writer is None:
            return False
        return self._sent is None or monotonic() - self._sent_at < _EXIT_SECONDS

    async def run(self) -> None:
        """Keep a worker running until `drain` is called."""
        pause = 0.0
        while not self._stopping:
            begun = monotonic()
            try:
                await self._live()
            except Exception:  # no room for a process, or a worker that talks nonsense: try again
                _LOG.exception("worker %d cannot be run", self.number)
            if self._stopping:
                return
            self.restarts += 1
            pause = min(_MAX_PAUSE, max(0.1, pause * 2)) if monotonic() - begun < _SHORT_LIFE else 0.0
            _LOG.warning("worker %d has died: a new one starts in %g s", self.number, pause)
            await asyncio.sleep(pause)

    async def _live(self) -> None:
        """Start a worker and hear it until it is gone."""
        watch: asyncio.Task[None] | None = None
        try:
            reader = await self._start()
            watch = asyncio.create_task(self._watch_silence())
            self.refresh()
            while True:
                self._hear(await read_answer(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if watch is not None:
                watch.cancel()
            await self._bury()

    async def _start(self) -> asyncio.StreamReader:
        channel, their_channel = socket.socketpair()
        self._descriptors, their_descriptors = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        inherited = [their_channel.fileno(), their_descriptors.fileno()]
        passed = [*inherited, self._counters] if self._counters >= 0 else inherited
        command = [
            sys.executable,
            "-m",
            "gateway_runtime.processes.worker",
            *map(str, [*inherited, self._counters]),
        ]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, pass_fds=passed
        )
        their_channel.close()
        their_descriptors.close()
        reader, self._writer = await asyncio.open_connection(sock=channel, limit=1 << 22)
        self._silent = 0
        return reader

    async def _bury(self) -> None:
        self._served = self._sent = self._told = None
        self._listening = False
        self.counted.bury()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._descriptors is not None:
            self._descriptors.close()
            self._descriptors = None
        if self._process is not None:
            if not self._stopping:
                self.kill()
            await self._process.wait()

    async def _watch_silence(self) -> None:
        """Kill a worker that is not heard for a minute; one that is well says its counters each second."""
        while self._silent < _SILENT_SECONDS:
            await asyncio.sleep(1.0)
            self._silent += 1
        _LOG.error("worker %d does not answer: it is replaced", self.number)
        self.kill()

    def _say(self, order: ToWorker) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(frame(order))

    def serves(self, wanted: Wanted) -> bool:
        """Whether the worker has said that it serves this."""
        return self._told is not None and self._told == wanted

    def refresh(self) -> None:
        """Tell the worker what is wanted now, unless it still works on what it was told before."""
        wanted = self._orders.wanted()
        if self._writer is None or self._sent is not None or self.serves(wanted):
            return
        self._serial += 1
        snapshot, secrets = wanted
        if self._served is None:
            self.discover(self._orders.addresses())
            order = Configure(self._serial, snapshot, None, dict(secrets))
        else:
            order = Configure(self._serial, None, difference(self._served, snapshot), dict(secrets))
        self._sent = wanted
        self._sent_at = monotonic()
        self._say(order)

    def discover(self, changes: ServiceAddresses) -> None:
        """Tell the worker where Services are now; a new one hears of all before it serves anything."""
        if changes:
            self._say(Discover(dict(changes)))

    def _hear(self, answer: Configured | Stats) -> None:
        self._silent = 0
        if isinstance(answer, Stats):
            self.counted.hear(answer.data)
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(None)
            return
        for key, error in answer.errors.items():
            if self.errors.get(key) != error:
                whose = f"{key} is not served as it is configured" if key else "the gateway"
                _LOG.error("%s: %s", whose, error)
        self.errors = answer.errors
        if self._sent is not None:
            self._served = self._sent[0]
            self._told = self._sent
            self.counted.keep(self._served.apis)
        self._sent = None
        if not self._listening:
            self._listening = True
            self._pass(list(self._sockets.openings.values()))
        self.refresh()
        self._orders.configured()

    def listen(self, openings: Sequence[Opening]) -> None:
        """Let the worker accept there; one that is not ready yet gets all openings once it is."""
        if self._listening:
            self._pass(openings)

    def _pass(self, openings: Sequence[Opening]) -> None:
        for begin in range(0, len(openings), MAX_DESCRIPTORS):
            self._pass_packet(tuple(openings[begin : begin + MAX_DESCRIPTORS]))

    def _pass_packet(self, openings: tuple[Opening, ...]) -> None:
        if self._descriptors is not None:
            sockets = [self._sockets.of_slot(self.number, opening.address) for opening in openings]
            # A worker that has just died takes nothing; the next one gets all openings.
            with contextlib.suppress(ConnectionError):
                socket.send_fds(self._descriptors, [b"s"], [one.fileno() for one in sockets])
                self._say(Listen(openings))

    def unlisten(self, address: str, port: int) -> None:
        """Let the worker accept there no more."""
        if self._listening:
            self._say(Unlisten(address, port))

    async def ask(self) -> None:
        """Have the worker say its counters; one that does not in time is left alone."""
        if self._writer is None:
            return
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.get_running_loop().create_future()
            self._say(AskStats())
        await asyncio.wait([self._waiting], timeout=_STATS_SECONDS)

    async def drain(self, seconds: float) -> None:
        """Let the worker finish and exit; waits a little longer than that."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._say(Drain(seconds))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds + _EXIT_SECONDS)

    def end(self) -> None:
        """End the worker at once, and start no other."""
        self._stopping = True
        self.kill()

    def kill(self) -> None:
        """End the worker at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
