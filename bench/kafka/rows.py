"""Samples of all rounds -> rows of the table: medians with least and greatest."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from bench.kafka.loads import Latency, Throughput
from bench.rows import spread

Row = dict[str, Any]


@dataclass(slots=True)
class Samples:
    """What the rounds gave for one peer; throughput by the direction and the size of records."""

    throughput: dict[tuple[str, int], list[Throughput]] = field(default_factory=lambda: defaultdict(list))
    latencies: list[Latency] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    memory: float = 0.0


def throughput_rows(samples: dict[str, Samples]) -> list[Row]:
    """Each direction, size and peer, with the ratio to no proxy."""
    rows: list[Row] = []
    for peer, own in samples.items():
        for (direction, size), found in own.throughput.items():
            row = {"direction": direction, "record_bytes": size, "peer": peer} | _figures(size, found)
            direct = samples["direct"].throughput.get((direction, size), []) if "direct" in samples else []
            rows.append(row | {"ratio_to_direct": _ratio_by_round(found, direct)})
    return sorted(rows, key=lambda row: (row["direction"] != "produce", row["record_bytes"]))


def _figures(size: int, found: list[Throughput]) -> Row:
    return {
        "records_per_second": spread(one.records_per_second for one in found),
        "mb_per_second": spread(one.records_per_second * size / 1e6 for one in found),
        "cpu_seconds_per_gb": spread(one.cpu_seconds_per_gb for one in found),
    }


def _ratio_by_round(own: list[Throughput], direct: list[Throughput]) -> float | None:
    """The median of the rounds' ratios: what slows a whole round down is no peer's fault."""
    pairs = zip(own, direct, strict=False)
    ratios = [one.records_per_second / other.records_per_second for one, other in pairs]
    return round(statistics.median(ratios), 3) if ratios else None


def latency_rows(samples: dict[str, Samples]) -> list[Row]:
    """Each peer's times, and what they are more than without a proxy."""
    direct = samples["direct"].latencies if "direct" in samples else []
    return [
        {"peer": peer}
        | {
            name: spread(getattr(latency, name) for latency in one.latencies)
            for name in ("ack_p50", "ack_p99", "end_p50", "end_p99", "cpu_seconds_per_million")
        }
        | {
            f"added_{name}": _added(one.latencies, direct, name)
            for name in ("ack_p50", "ack_p99", "end_p50", "end_p99")
        }
        for peer, one in samples.items()
        if one.latencies
    ]


def _added(own: list[Latency], direct: list[Latency], name: str) -> float | None:
    """The median of the rounds' differences, in milliseconds."""
    more = [getattr(one, name) - getattr(other, name) for one, other in zip(own, direct, strict=False)]
    return round(statistics.median(more), 3) if more else None


def memory_rows(samples: dict[str, Samples]) -> list[Row]:
    """Each proxy's memory after the load, and what a thousand idle connections cost, in MiB."""
    return [
        {"peer": peer, "rss_mib": one.memory, "idle_mib_per_thousand": spread(one.idle)}
        for peer, one in samples.items()
        if one.memory
    ]
