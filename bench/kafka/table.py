"""Prints rows for people."""

from __future__ import annotations

from typing import Any

from bench.kafka.rows import Row
from bench.table import print_columns

_THROUGHPUT = ("load", "bytes", "peer", "records/s", "MB/s", "x direct", "CPU-s/GB")
_LATENCY = (
    "peer",
    "ack p50",
    "ack p99",
    "end p50",
    "end p99",
    "+ack p50",
    "+ack p99",
    "+end p99",
    "CPU-s/1M",
)
_MEMORY = ("peer", "RSS MiB", "MiB/1,000 idle")


def print_results(results: dict[str, Any]) -> None:
    """Three tables: throughput, times in milliseconds at a constant rate, memory."""
    print_columns([_THROUGHPUT, *map(_throughput, results["throughput"])], 3)
    print()
    print_columns([_LATENCY, *map(_latency, results["latency"])])
    print()
    print_columns([_MEMORY, *map(_memory, results["memory"])])


def _throughput(row: Row) -> tuple[str, ...]:
    return (
        row["direction"], str(row["record_bytes"]), row["peer"],
        _median(row, "records_per_second", ",.0f"), _median(row, "mb_per_second", ".1f"),
        _number(row["ratio_to_direct"], ".2f"), _median(row, "cpu_seconds_per_gb", ".2f"),
    )  # fmt: skip


def _latency(row: Row) -> tuple[str, ...]:
    times = [_median(row, name, ".2f") for name in ("ack_p50", "ack_p99", "end_p50", "end_p99")]
    added = [_number(row[f"added_{name}"], "+.2f") for name in ("ack_p50", "ack_p99", "end_p99")]
    return (row["peer"], *times, *added, _median(row, "cpu_seconds_per_million", ".0f"))


def _memory(row: Row) -> tuple[str, ...]:
    return row["peer"], _number(row["rss_mib"], ".1f"), _median(row, "idle_mib_per_thousand", ".1f")


def _median(row: Row, name: str, form: str) -> str:
    return format(row[name]["median"], form) if row[name] else ""


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
