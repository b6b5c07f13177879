"""Turns the samples of all rounds into the rows of the table: medians with least and greatest."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bench.latency import Latency
from bench.peak import Peak
from bench.processes import Memory

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One place of the table."""

    work: str
    body: str
    connections: int
    peer: str


@dataclass(slots=True)
class Samples:
    """What the rounds gave for a cell."""

    peaks: list[Peak] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    memory: Memory = field(default_factory=lambda: Memory(0, 0))


def make_rows(samples: dict[Cell, Samples]) -> list[Row]:
    """The rows, each with its ratio to Envoy's row for the same work, body and connections."""
    rows = [_row(cell, found) for cell, found in samples.items() if found.peaks]
    envoy = {_place(row): row for row in rows if row["peer"] == "envoy"}
    for row in rows:
        row["ratio_to_envoy"] = _ratio(row, envoy.get(_place(row)))
    return rows


def _row(cell: Cell, samples: Samples) -> Row:
    peaks, latencies = samples.peaks, samples.latencies
    return {
        "peer": cell.peer,
        "work": cell.work,
        "body": cell.body,
        "connections": cell.connections,
        "requests_per_second": spread(peak.rate for peak in peaks),
        "requests_per_cpu_second": spread(peak.per_cpu_second for peak in peaks),
        "mb_per_cpu_second": spread(peak.mb_per_cpu_second for peak in peaks),
        "cpu_share": spread(peak.busy for peak in peaks),
        "p50_ms": spread(latency.p50 for latency in latencies),
        "p99_ms": spread(latency.p99 for latency in latencies),
        "rate_kept": spread(latency.kept for latency in latencies),
        "failed": sum(peak.failed for peak in peaks) + sum(latency.failed for latency in latencies),
        "rss_mib": samples.memory.rss,
        "pss_mib": samples.memory.pss,
    }


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """The median, with least and greatest."""
    found = list(values)
    if not found:
        return None
    return {
        "median": round(statistics.median(found), 3),
        "min": round(min(found), 3),
        "max": round(max(found), 3),
    }


def _place(row: Row) -> tuple[str, str, int]:
    return row["work"], row["body"], row["connections"]


def _ratio(row: Row, envoy: Row | None) -> dict[str, float] | None:
    """How many times Envoy's figure a row's figures are."""
    if envoy is None:
        return None
    names = ("requests_per_second", "requests_per_cpu_second", "p99_ms")
    pairs = {name: (row[name], envoy[name]) for name in names}
    return {
        name: round(own["median"] / other["median"], 3)
        for name, (own, other) in pairs.items()
        if own and other and other["median"]
    }
