"""Measures a work: starts all peers, then loads one after the other, round by round.

Idle peers wait; they use no CPU worth naming, and starting 10,000 APIs anew for each figure would take hours.
"""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from bench.latency import measure_latency
from bench.peak import Load, measure_peak, run_wrk
from bench.peers.base import Peer, Task
from bench.probe import ProbeError, await_ready, probe, probe_limit
from bench.processes import PROXY_CPU, Server, free_port, running
from bench.rows import Cell, Samples
from bench.works import Work

FAILURES = (ProbeError, RuntimeError, OSError, subprocess.SubprocessError, http.client.HTTPException)
"""What a proxy that does not work leads to: it is left out, the others are measured."""
_READY_SECONDS = 60
_SHARE_OF_PEAK = 0.6
_LATENCY_BODY = "1k"


@dataclass(frozen=True, slots=True)
class Schedule:
    """How much is measured."""

    rounds: int
    seconds: int
    cells: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A peer that serves a work."""

    peer: Peer
    server: Server
    port: int
    ready_seconds: float


@dataclass(frozen=True, slots=True)
class Site:
    """Where all is measured: the backend's port and the folder for files."""

    backend: int
    folder: Path


@contextmanager
def serving(peer: Peer, work: Work, site: Site) -> Iterator[Started]:
    """A peer while it serves a work; ready means that its last API answers."""
    folder = site.folder / f"{peer.name}-{work.name}"
    folder.mkdir()
    port = free_port()
    command = peer.command(Task(work, port, site.backend, folder))
    with running(peer.name, command, PROXY_CPU, folder / "output.log") as server:
        yield Started(peer, server, port, await_ready(server, port, work, _READY_SECONDS))


class Rounds:
    """Collects samples of all cells, and the problems of peers that could not be measured."""

    def __init__(self, site: Site, schedule: Schedule) -> None:
        self.samples: dict[Cell, Samples] = {}
        self.ready_seconds: dict[str, dict[str, float]] = {}
        self.problems: list[str] = []
        self._site = site
        self._schedule = schedule

    def check_limits(self, peers: list[Peer], work: Work) -> None:
        """Starts each peer with a low rate limit, to see that it refuses."""
        low = replace(work, name=f"{work.name}-low", limit=3, apis=0)
        for peer in peers:
            try:
                with serving(peer, low, self._site) as started:
                    probe_limit(started.port, low)
            except FAILURES as error:
                self._problem(peer, low, error)

    def measure(self, peers: list[Peer], work: Work) -> None:
        """All rounds of a work."""
        with ExitStack() as stack:
            started = [found for peer in peers if (found := self._start(stack, peer, work))]
            self._make_cells(started, work)
            for number in range(self._schedule.rounds):
                for body, connections in self._schedule.cells:
                    print(f"  round {number + 1}: {body}, {connections} connections", flush=True)
                    self._turn(started, Load(work, body, connections, self._schedule.seconds))
                    started = started[1:] + started[:1]

    def _start(self, stack: ExitStack, peer: Peer, work: Work) -> Started | None:
        try:
            started = stack.enter_context(serving(peer, work, self._site))
            probe(started.port, work)
            run_wrk(started.port, Load(work, "1k", 32, 1))
        except FAILURES as error:
            self._problem(peer, work, error)
            return None
        self.ready_seconds.setdefault(work.name, {})[peer.name] = round(started.ready_seconds, 2)
        return started

    def _make_cells(self, started: list[Started], work: Work) -> None:
        """Puts the cells of a work in the order of the table, as peers take turns in being first."""
        for (body, connections), one in product(self._schedule.cells, started):
            self.samples[Cell(work.name, body, connections, one.peer.name)] = Samples()

    def _turn(self, started: list[Started], load: Load) -> None:
        """One sample of each; a peer that fails is out of the work."""
        for one in list(started):
            try:
                self._sample(one, load)
            except FAILURES as error:
                started.remove(one)
                self._problem(one.peer, load.work, error)

    def _sample(self, started: Started, load: Load) -> None:
        cell = Cell(load.work.name, load.body, load.connections, started.peer.name)
        samples = self.samples[cell]
        peak = measure_peak(started.server, started.port, load)
        samples.peaks.append(peak)
        samples.memory = started.server.worker_memory()
        if load.body == _LATENCY_BODY and not load.work.apis:
            log = self._site.folder / "latency.log"
            rate = peak.rate * _SHARE_OF_PEAK
            samples.latencies.append(measure_latency(started.port, load, rate, log))

    def _problem(self, peer: Peer, work: Work, error: Exception) -> None:
        self.problems.append(f"{peer.name}, {work.name}: {error}")
        print(f"  left out: {self.problems[-1]}", flush=True)
