"""Runs Kafka's own load tools through a peer -> throughput, latency and the proxy's CPU time.

The tools, and the broker, have the CPU that the proxy has not.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.kafka.peers import Started
from bench.processes import LOAD_CPU, on_cpu
from e2e.components.java import class_path, classes, java
from e2e.components.kafka import libraries

_TIMEOUT = 300
_MEGA = 1e6
_TOOLS = "org.apache.kafka.tools"
_JAVA = ("-Xmx512m", "-XX:+UseSerialGC", "-Dlog4j2.level=OFF")
_QUICK = "-XX:TieredStopAtLevel=1"
"""For latencies: the second compiler takes the CPU of load and broker for long times."""
_WARM_UP = 10
"""Seconds before latencies count."""
_PRODUCER = {"acks": "1", "linger.ms": "10", "batch.size": str(64 * 1024), "buffer.memory": str(64 * 2**20)}
_RATE = re.compile(r"([0-9.]+) records/sec \(([0-9.]+) MB/sec\)")


@dataclass(frozen=True, slots=True)
class Load:
    """A topic, and records of one size."""

    topic: str
    size: int
    records: int

    @property
    def gigabytes(self) -> float:
        """Bytes of records, in 10^9."""
        return self.size * self.records / 1e9


@dataclass(frozen=True, slots=True)
class Throughput:
    """Records a second at the peak, and what it cost the proxy."""

    records_per_second: float
    cpu_seconds_per_gb: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Times in milliseconds at a constant rate: until the acknowledgement, and until the consumer has it."""

    ack_p50: float
    ack_p99: float
    end_p50: float
    end_p99: float
    cpu_seconds_per_million: float
    """CPU seconds of the proxy for a million requests of the producer, with the fetches that follow them."""


def produce(peer: Started, load: Load) -> Throughput:
    """ProducerPerformance at full speed."""
    with _properties(peer.properties | _PRODUCER) as file:
        options = ["--topic", load.topic, "--num-records", str(load.records), "--throughput", "-1"]
        options += ["--record-size", str(load.size), "--command-config", file]
        before = peer.cpu_seconds()
        output = _java(f"{_TOOLS}.ProducerPerformance", options)
        used = peer.cpu_seconds() - before
    found = _RATE.findall(output)
    if not found or f"{load.records} records sent" not in output:
        raise RuntimeError(f"{peer.name}: the producer failed:\n{output}")
    return Throughput(float(found[-1][0]), used / load.gigabytes)


def consume(peer: Started, load: Load) -> Throughput:
    """ConsumerPerformance over all records of the topic, without the time to join a group."""
    with _properties(peer.properties | {"auto.offset.reset": "earliest"}) as file:
        options = ["--topic", load.topic, "--num-records", str(load.records), "--hide-header"]
        options += ["--bootstrap-server", peer.properties["bootstrap.servers"], "--command-config", file]
        before = peer.cpu_seconds()
        output = _java(f"{_TOOLS}.ConsumerPerformance", options)
        used = peer.cpu_seconds() - before
    # start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s
    columns = next((line.split(", ") for line in output.splitlines() if line.count(", ") == 9), None)
    if columns is None or int(columns[4]) < load.records:
        raise RuntimeError(f"{peer.name}: the consumer failed:\n{output}")
    return Throughput(float(columns[9]), used / load.gigabytes)


def time_records(peer: Started, topic: str, rate: int, seconds: int) -> Latency:
    """Single records of 1 KiB at a rate, each timed."""
    compiled = classes(Path(__file__).parent / "java" / "Latency.java", libraries())
    with _properties(peer.properties | {"acks": "1"}) as file:
        options = [file, topic, str(rate), str(rate * _WARM_UP), str(rate * seconds), "1024"]
        before = peer.cpu_seconds()
        output = _java("Latency", options, compiled, java_options=(*_JAVA, _QUICK))
        used = peer.cpu_seconds() - before
    requests, *microseconds = (float(word) for word in output.split())
    ack_p50, ack_p99, end_p50, end_p99 = (one / 1000 for one in microseconds)
    return Latency(ack_p50, ack_p99, end_p50, end_p99, used / requests * _MEGA)


@contextmanager
def _properties(lines: dict[str, str]) -> Iterator[str]:
    """The path of a file with these lines, for as long as it is needed."""
    with tempfile.NamedTemporaryFile("w", prefix="penstock-bench-", suffix=".properties") as file:
        file.write("".join(f"{name}={value}\n" for name, value in lines.items()))
        file.flush()
        yield file.name


def _java(main: str, options: Sequence[str], *folders: Path, java_options: Sequence[str] = _JAVA) -> str:
    words = [str(java()), *java_options, "-cp", class_path(libraries(), *folders), main, *options]
    done = subprocess.run(
        on_cpu(LOAD_CPU, words), capture_output=True, text=True, check=False, timeout=_TIMEOUT
    )
    if done.returncode:
        raise RuntimeError(
            f"{main} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout
