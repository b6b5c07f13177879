"""Measures a proxy's latency at a constant rate, with h2load.

h2load keeps a timetable for each connection and catches up after a delay, so a slow answer does not lower the
rate. Connections start one after another: started together, all would ask at the same instant of every period
and the latency would be that of the burst. Figures come from h2load's log, without the start and the end.
"""

from __future__ import annotations

import math
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.peak import Load
from bench.processes import LOAD_CPU, on_cpu

_STEP = 0.003
_SETTLE = 0.3


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in milliseconds; `kept` is the share of the wanted rate that was sent."""

    p50: float
    p99: float
    kept: float
    failed: int


def measure_latency(port: int, load: Load, rate: float, log: Path) -> Latency:
    """The latency of a proxy at `rate` requests per second."""
    log.unlink(missing_ok=True)  # h2load appends
    ramp = _ramp(load.connections)
    requests = math.ceil(rate * (load.seconds + ramp + _SETTLE))
    patience = 4 * load.seconds + 30
    subprocess.run(
        _command(port, load, (rate, requests), log), check=True, capture_output=True, timeout=patience
    )
    rows = [tuple(map(int, line.split())) for line in log.read_text().splitlines()]
    first = min(row[0] for row in rows) + (ramp + _SETTLE) * 1e6
    window = [row for row in rows if first <= row[0] < first + load.seconds * 0.95e6]
    return summarise(window, rate * load.seconds * 0.95)


def summarise(rows: list[tuple[int, ...]], wanted: float) -> Latency:
    """Percentiles of rows of (start, status, microseconds)."""
    times = sorted(row[2] / 1000 for row in rows)
    failed = sum(row[1] != 200 for row in rows)
    return Latency(_percentile(times, 0.50), _percentile(times, 0.99), len(rows) / wanted, failed)


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else math.nan


def _at_once(connections: int) -> int:
    return max(1, connections // 128)


def _ramp(connections: int) -> float:
    return connections / _at_once(connections) * _STEP


def _command(port: int, load: Load, pace: tuple[float, int], log: Path) -> list[str]:
    rate, requests = pace
    headers = [part for name, value in load.work.headers().items() for part in ("-H", f"{name}: {value}")]
    start = ["-r", str(_at_once(load.connections)), "--rate-period", f"{_STEP * 1000:.0f}ms"]
    amount = ["-c", str(load.connections), "-n", str(requests), "--rps", f"{rate / load.connections:.3f}"]
    url = f"http://127.0.0.1:{port}{load.work.path(load.body)}"
    return on_cpu(LOAD_CPU, ["h2load", "--h1", "-t1", *start, *amount, "--log-file", str(log), *headers, url])
