"""Starts all peers before one broker, then loads one after the other, round by round.

Those that wait use no CPU worth naming, and all meet the same moods of the machine.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from bench.kafka.idle import memory_per_thousand
from bench.kafka.loads import Load, consume, produce, time_records
from bench.kafka.manifests import PREFIX
from bench.kafka.peers import PEERS, Peer, Place, Started, serving
from bench.kafka.rows import Samples
from e2e.components.ports import ADDRESS, free_port

RECORDS = {100: 3_000_000, 1024: 500_000, 10240: 50_000}
"""Sizes of records, and how many of each a whole run sends at once."""
_FAILURES = (RuntimeError, OSError, subprocess.SubprocessError, ValueError, KafkaException)
_SECONDS = 30
_RATE = 1000
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Schedule:
    """How much is measured; `scale` is the part of the records of a whole run."""

    peers: tuple[str, ...]
    sizes: tuple[int, ...]
    rounds: int
    warm_ups: int
    scale: float
    latency_seconds: int
    idle: int


class Rounds:
    """All peers before one broker."""

    def __init__(self, schedule: Schedule, broker: str) -> None:
        self._schedule = schedule
        self._broker = broker
        self._admin = AdminClient({"bootstrap.servers": broker, "log_level": 0})
        self._started: list[Started] = []
        self._topics = 0
        self.samples: dict[str, Samples] = {}
        self.problems: list[str] = []

    def start(self, stack: ExitStack, folder: Path) -> None:
        """Starts the peers; one that does not serve is left out."""
        for name in self._schedule.peers:
            try:
                self._start(stack, PEERS[name], folder)
            except _FAILURES as error:
                self._problem(name, error)

    def run(self) -> None:
        """Warms all up, and measures."""
        for number in range(self._schedule.warm_ups):
            print(f"warm-up {number + 1} of {self._schedule.warm_ups}", flush=True)
            self._each(lambda one: self._throughput(one, Samples()))
        for number in range(self._schedule.rounds):
            print(f"round {number + 1} of {self._schedule.rounds}", flush=True)
            self._each(lambda one: self._throughput(one, self.samples[one.name]))
            if self._schedule.latency_seconds:
                self._each(self._latency)
        self._each(self._memory)

    def _start(self, stack: ExitStack, peer: Peer, folder: Path) -> None:
        started = stack.enter_context(serving(peer, Place(self._broker, _two_free_ports(), folder)))
        self._started.append(started)
        self.samples[peer.name] = Samples()

    def _each(self, turn: Callable[[Started], None]) -> None:
        """Every peer's turn; one that fails has no more."""
        for one in list(self._started):
            try:
                turn(one)
            except _FAILURES as error:
                self._started.remove(one)
                self._problem(one.name, error)

    def _throughput(self, peer: Started, samples: Samples) -> None:
        for size in self._schedule.sizes:
            topic = self._new_topic(peer)
            load = Load(topic, size, max(1, int(RECORDS[size] * self._schedule.scale)))
            samples.throughput["produce", size].append(produce(peer, load))
            samples.throughput["consume", size].append(consume(peer, load))
            self._remove(peer, topic)

    def _latency(self, peer: Started) -> None:
        topic = self._new_topic(peer)
        found = time_records(peer, topic, _RATE, self._schedule.latency_seconds)
        self.samples[peer.name].latencies.append(found)
        self._remove(peer, topic)

    def _memory(self, peer: Started) -> None:
        if peer.server is None:
            return
        samples = self.samples[peer.name]
        samples.memory = peer.server.worker_memory().rss
        if self._schedule.idle and not peer.needs_login:
            samples.idle.append(memory_per_thousand(peer, self._schedule.idle))

    def _new_topic(self, peer: Started) -> str:
        self._topics += 1
        name = f"bench-{self._topics}"
        topic = self._real(peer, name)
        self._admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(_SECONDS)
        return name

    def _remove(self, peer: Started, topic: str) -> None:
        real = self._real(peer, topic)
        self._admin.delete_topics([real])[real].result(_SECONDS)

    def _real(self, peer: Started, topic: str) -> str:
        """The name of a topic at the broker."""
        return f"{PREFIX}{topic}" if peer.needs_login else topic

    def _problem(self, name: str, error: Exception) -> None:
        self.problems.append(f"{name}: {error}")
        print(f"  left out: {self.problems[-1]}", flush=True)


def _two_free_ports() -> int:
    """The first of two free ports in a row."""
    for _ in range(_TRIES):
        port = free_port()
        with suppress(OSError), socket.create_server((ADDRESS, port + 1)):
            return port
    raise RuntimeError("no two free ports in a row")
