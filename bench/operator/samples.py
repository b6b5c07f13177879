"""What the operator and the pod use at a size, and what grows with each API."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.operator.site import Process
from bench.processes import Server, memory

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the first creation of a stage until all were created, and until all were Ready."""

    created: float = 0.0
    ready: float = 0.0


def sample(apis: int, times: Times, operator: Process, pod: Process) -> Row:
    """One row: the figures at so many APIs."""
    supervisor, workers = _family(pod.server)
    return {
        "apis": apis,
        "created_seconds": round(times.created, 2),
        "ready_seconds": round(times.ready, 2),
        "operator_cpu_seconds": round(operator.server.cpu_seconds(), 2),
        "operator_rss_mib": memory(operator.server.process.pid).rss,
        "pod_cpu_seconds": round(pod.server.cpu_seconds(), 2),
        "pod_supervisor_rss_mib": supervisor,
        "pod_workers_rss_mib": workers,
    }


def growth(rows: list[Row]) -> Row:
    """KiB of memory for each API from the first row to the last, and from each row to the next."""
    names = ("operator_rss_mib", "pod_supervisor_rss_mib", "pod_workers_rss_mib")
    return {name.replace("_mib", "_kib_per_api"): _slopes(rows, name) for name in names}


def _slopes(rows: list[Row], name: str) -> Row:
    steps = [_slope(one, other, name) for one, other in pairwise(rows)]
    return {"whole": _slope(rows[0], rows[-1], name), "steps": steps}


def _slope(one: Row, other: Row, name: str) -> float:
    kib: float = (other[name] - one[name]) * 1024
    return round(kib / int(other["apis"] - one["apis"]), 1)


def _family(server: Server) -> tuple[float, float]:
    first, *others = server.tree()
    return memory(first).rss, round(sum(memory(pid).rss for pid in others), 2)
