"""The supervisor of one gateway: follows a source, holds the sockets, keeps the workers running."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway_runtime.admin.server import AdminServer
from gateway_runtime.counters.shared import SharedCounter
from gateway_runtime.processes.slot import Orders, ServiceAddresses, Wanted, WorkerSlot
from gateway_runtime.processes.sockets import Change, ListeningSockets
from gateway_runtime.processes.source import Source, Update
from gateway_runtime.secrets.store import ProviderState
from gateway_runtime.snapshot.openings import openings
from gateway_runtime.snapshot.types import Address, Snapshot

_LOG: Final = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to run; `drain_delay` is in seconds, from failing readiness to draining."""

    workers: int
    admin_host: str = "127.0.0.1"
    admin_port: int = 9900
    drain_delay: float = 0.0


Report = Callable[[Update, Sequence[str], Sequence[str]], None]
"""Told of an update, of the listeners that failed, and of the places where it is served."""


Served = Callable[[Update, Mapping[str, str]], None]
"""Told of the update that all workers serve now, and of what they cannot serve of it: by API, and under the
empty key what is wrong with the listeners."""


class Supervisor:
    """Runs the workers of one gateway. `report` is told of each update, and of what became of it."""

    def __init__(
        self, source: Source, options: Options, report: Report, served: Served | None = None
    ) -> None:
        self._source = source
        self._options = options
        self._report = report
        self._served = served
        self._update: Update | None = None
        self._wanted: Wanted = (Snapshot(), {})
        self._addresses: dict[str, tuple[Address, ...]] = {}
        self._sockets = ListeningSockets(options.workers)
        self._counter = SharedCounter.create() if options.workers > 1 else None
        orders = Orders(self.wanted, self.addresses, self._on_configured)
        counters = -1 if self._counter is None else self._counter.descriptor
        self._slots = [
            WorkerSlot(number, self._sockets, counters, orders) for number in range(options.workers)
        ]
        self._begun = asyncio.Event()
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._reload = asyncio.Event()
        self._failures: list[str] = []
        self.draining: bool = False

    def wanted(self) -> Wanted:
        """What the workers are to serve, with the values of its secrets."""
        return self._wanted

    def addresses(self) -> ServiceAddresses:
        """Where Services are, as far as it was told."""
        return self._addresses

    def discover(self, changes: ServiceAddresses) -> None:
        """Tell all workers where Services are now; one without addresses is forgotten.

        What an update needs of them is to be told before it.
        """
        self._addresses.update(changes)
        for key in [key for key, addresses in changes.items() if not addresses]:
            del self._addresses[key]
        for slot in self._slots:
            slot.discover(changes)

    async def run(self, update: Update | None) -> int:
        """Serve until a signal; answers the exit code. `update` is what the source said first.

        Where a port cannot be had at the start, nothing is served: 1. Without an update, the first one is
        waited for, and its ports are tried again and again.
        """
        self._handle_signals()
        admin = AdminServer(self)
        host, port = self._options.admin_host, self._options.admin_port
        try:
            await admin.start(host, port)
        except OSError as error:
            _LOG.error("the admin server cannot listen on %s:%d: %s", host, port, error.strerror)
            return 1
        try:
            return await self._serve(update)
        finally:
            await admin.stop()

    async def _serve(self, update: Update | None) -> int:
        if update is not None and (self._take(update) or not self._has_listeners()):
            return 1
        following = (self._follow(), self._follow_reloads(), self._follow_ports())
        followers = [asyncio.create_task(task) for task in following]
        await _first_of(*[asyncio.create_task(event.wait()) for event in (self._begun, self._stop)])
        workers = [asyncio.create_task(slot.run()) for slot in self._slots if self._begun.is_set()]
        await self._stop.wait()
        for follower in followers:
            follower.cancel()
        await self._drain(workers)
        return 0

    def _has_listeners(self) -> bool:
        """Whether anything may ever be served; the ports of a Kafka listener come with its APIs."""
        return bool(self._sockets.openings or self._wanted[0].gateway.kafka_listeners)

    def _take(self, update: Update) -> list[str]:
        """Have the workers serve an update; answers the listeners that cannot be had."""
        self._update = update
        self._wanted = (update.snapshot, update.secrets)
        change = self._sockets.update(openings(update.snapshot))
        self._report(update, change.failures, [f"{host}:{port}" for host, port in self._sockets.openings])
        for slot in self._slots:
            slot.refresh()
        self._tell(change)
        self._begun.set()
        return change.failures

    def _tell(self, change: Change) -> None:
        self._failures = change.failures
        for slot in self._slots:
            for address, port in change.closed:
                slot.unlisten(address, port)
            slot.listen(change.opened)
        self._on_configured()

    def _on_configured(self) -> None:
        """Tell of the update once all workers serve it, and again whenever one has come to serve it anew."""
        if self._served is None or self._update is None:
            return
        if all(slot.serves(self._wanted) for slot in self._slots):
            errors = {key: error for slot in self._slots for key, error in slot.errors.items()}
            gateway = [*self._failures, *filter(None, [errors.get("", "")])]
            if gateway:
                errors[""] = "; ".join(gateway)
            self._served(self._update, errors)

    async def _follow_ports(self) -> None:
        """Try again to have the listeners whose ports were taken when an update came."""
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            if self._failures:
                change = self._sockets.update(openings(self._wanted[0]))
                self._tell(change)
                for opening in change.opened:
                    _LOG.info("listener %s: bound to %s:%d", opening.listener.name, *opening.address)

    async def _follow(self) -> None:
        """Take the source's updates; a source that fails is asked again."""
        while True:
            try:
                async for update in self._source.watch():
                    self._take(update)
            except Exception:  # whatever the source's trouble is, the last good program keeps serving
                _LOG.exception("the source of the configuration failed")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow_reloads(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            try:
                self._take(await asyncio.to_thread(self._source.load))
            except Exception:
                _LOG.exception("the source of the configuration failed")

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _on_stop(self) -> None:
        if self.draining:
            _LOG.warning("stopped again: open requests are cut")
            self._hurry.set()
        else:
            _LOG.info("draining, for %g s at most", self._wanted[0].gateway.timeouts.drain)
        self.draining = True
        self._stop.set()

    async def stopping(self) -> None:
        """Wait for the signal to end."""
        await self._stop.wait()

    async def _drain(self, workers: list[asyncio.Task[None]]) -> None:
        draining = asyncio.create_task(self._drain_slots())
        await _first_of(draining, asyncio.create_task(self._hurry.wait()))
        self._sockets.close()
        for slot in self._slots:
            slot.end()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _drain_slots(self) -> None:
        await asyncio.sleep(self._options.drain_delay)
        self._sockets.close()
        seconds = self._wanted[0].gateway.timeouts.drain
        await asyncio.gather(*[slot.drain(seconds) for slot in self._slots])

    # -- what the admin port tells

    def not_ready(self) -> str:
        """Why the gateway is not ready; empty where it is."""
        if self.draining:
            return "draining"
        reason = self._source.missing()
        if reason:
            return reason
        missing = [str(slot.number) for slot in self._slots if not slot.is_ready()]
        return f"workers not ready: {', '.join(missing)}" if missing else ""

    def snapshot(self) -> Snapshot:
        """The present configuration."""
        return self._wanted[0]

    def workers(self) -> int:
        """How many workers there are."""
        return len(self._slots)

    def restarts(self) -> int:
        """How often a worker was replaced."""
        return sum(slot.restarts for slot in self._slots)

    def secrets(self) -> Sequence[ProviderState]:
        """How the providers of secrets are."""
        return self._source.secrets()

    async def stats(self) -> list[dict[str, Any]]:
        """The counters of all workers, of the dead ones what they last told."""
        await asyncio.gather(*[slot.ask() for slot in self._slots])
        return [slot.counted.total() for slot in self._slots]


async def _first_of(*tasks: asyncio.Task[Any]) -> None:
    """Wait for one of them; the others are cancelled."""
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
