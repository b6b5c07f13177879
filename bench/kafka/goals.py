"""Rows -> what Penstock has to reach, and what it reached."""

from __future__ import annotations

from typing import Any

from bench.goals import at_least, at_most, below
from bench.kafka.rows import Row

_PLAIN = "penstock"
_POLICIES = "penstock+policies"
_OTHER = "kroxylicious"
_SIZES = (100, 1024)
_QUIET = 20.0
Goal = dict[str, Any]


def make_goals(throughput: list[Row], latency: list[Row]) -> dict[str, Goal]:
    """Each goal's short name -> what to reach, what was reached (None: not measured), whether it is met."""
    goals: dict[str, Goal] = {}
    for row in throughput:
        if row["peer"] == _PLAIN:
            name = f"{row['direction']}-{row['record_bytes']}-vs-direct"
            goals[name] = at_least(0.95, row["ratio_to_direct"])
    goals["added-p99-ms"] = below(1.0, _added_p99(latency))
    for size in _SIZES:
        for direction in ("produce", "consume"):
            name = f"cpu-per-gb-{direction}-{size}"
            goals[f"{name}-vs-kroxylicious"] = at_most(0.75, _cpu(throughput, (direction, size), _PLAIN))
            goals[f"{name}-policies-vs-kroxylicious-plain"] = at_most(
                1.0, _cpu(throughput, (direction, size), _POLICIES)
            )
    return goals


def _added_p99(rows: list[Row]) -> float | None:
    """Milliseconds; None on a machine so busy that a direct client waits for a CPU more than for a broker."""
    found = {row["peer"]: row for row in rows}
    if "direct" not in found or found["direct"]["ack_p99"]["median"] > _QUIET:
        return None
    added: float | None = found[_PLAIN]["added_ack_p99"] if _PLAIN in found else None
    return added


def _cpu(rows: list[Row], place: tuple[str, int], peer: str) -> float | None:
    """How many times the CPU seconds of Kroxylicious a peer needs for a gigabyte."""
    found: dict[str, float] = {
        row["peer"]: row["cpu_seconds_per_gb"]["median"]
        for row in rows
        if (row["direction"], row["record_bytes"]) == place
    }
    if not found.get(_OTHER) or peer not in found:
        return None
    return round(found[peer] / found[_OTHER], 3)
