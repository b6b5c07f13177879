"""Edits and requests -> rows of the results, and the goals."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.goals import at_most, below
from bench.operator.edits import Edit

_POD_WRITES = 1
"""The Lease by which the pod says that it serves an edit."""


def edit_row(name: str, edits: Sequence[Edit]) -> dict[str, Any]:
    """The figures of some edits."""
    served = sorted(edit.served_ms for edit in edits)
    writes = [edit.writes.total() + _POD_WRITES for edit in edits]
    total = sum((edit.writes for edit in edits), Counter[tuple[str, str]]())
    return {
        "name": name,
        "edits": len(edits),
        "p50_ms": round(statistics.median(served), 1),
        "p99_ms": round(_percentile(served, 0.99), 1),
        "max_ms": round(served[-1], 1),
        "accepted_p50_ms": round(statistics.median(edit.accepted_ms for edit in edits), 1),
        "writes_per_edit": {"mean": round(statistics.mean(writes), 2), "max": max(writes)},
        "operator_writes": {" ".join(call): count for call, count in sorted(total.items())},
        "all_ms": [round(edit.served_ms, 1) for edit in edits],
    }


def requests_of(counts: Counter[tuple[str, str]]) -> dict[str, int]:
    """Requests by verb and resource, as the API server counts them, without those of none."""
    return {f"{verb} {resource}": count for (verb, resource), count in sorted(counts.items()) if resource}


def make_goals(found: dict[str, Any]) -> dict[str, Any]:
    """Each goal's short name -> what to reach, what was reached, whether it is met."""
    edits = found["edits"]
    lists = sum(count for call, count in found["edit_requests"].items() if call.startswith("LIST"))
    steps = found["growth"]["operator_rss_kib_per_api"]["steps"]
    return {
        "edit-p99-ms": below(1000, max(row["p99_ms"] for row in edits)),
        "writes-per-edit": at_most(5, max(row["writes_per_edit"]["max"] for row in edits)),
        "lists-during-edits": at_most(0, lists),
        "failed-under-load": at_most(0, found["load"]["failed"]),
        "operator-growth-last-by-first": at_most(1.25, round(steps[-1] / steps[0], 2)),
        "writes-of-a-restart": at_most(0, sum(found["restart"]["writes"].values())),
    }


def _percentile(values: Sequence[float], share: float) -> float:
    """By the nearest rank."""
    return values[max(0, math.ceil(share * len(values)) - 1)]
