"""Measures the memory of one worker with 1,000 APIs, loaded and in use."""

from __future__ import annotations

from typing import Any

from bench.peak import Load, run_wrk
from bench.peers.penstock import Penstock
from bench.processes import memory
from bench.rounds import Site, serving
from bench.works import Work


def measure_memory(site: Site, apis: int) -> dict[str, Any]:
    """MiB of the worker, and of each other process.

    Raises RuntimeError where Penstock does not run.
    """
    work = Work("memory", policies=True, apis=apis)
    with serving(Penstock(), work, site) as started:
        run_wrk(started.port, Load(work, "1k", 32, 2))
        worker = started.server.worker()
        others = [memory(pid) for pid in started.server.tree() if pid != worker]
        own = memory(worker)
    return {
        "apis": apis,
        "rss_mib": own.rss,
        "pss_mib": own.pss,
        "others_rss_mib": [other.rss for other in others],
        "ready_seconds": round(started.ready_seconds, 2),
    }
