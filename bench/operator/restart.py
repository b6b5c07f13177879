"""The operator starts again where all is there already: how long until it works, and what it writes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from bench.operator.admin import Admin
from bench.operator.site import Process, operator, writes_of
from bench.operator.summary import requests_of
from bench.processes import memory
from e2e.components.control_plane import ControlPlane

_PATIENCE = 300.0
_SETTLE = 10.0
"""Seconds after the first round: what it would write comes within them."""


async def measure_restart(plane: ControlPlane, logs: Path, admin: Admin) -> dict[str, Any]:
    """Seconds, memory and requests of a start with all objects."""
    before = await admin.requests()
    async with operator(plane, logs / "operator-again.log") as again:
        begun = time.monotonic()
        await again.until_ready(_PATIENCE)
        ready = time.monotonic() - begun
        await _until_round(again)
        settled, cpu = time.monotonic() - begun, again.server.cpu_seconds()
        await asyncio.sleep(_SETTLE)
        writes = writes_of(await again.calls())
        return {
            "ready_seconds": round(ready, 2),
            "first_round_seconds": round(settled, 2),
            "cpu_seconds": round(cpu, 2),
            "rss_mib": memory(again.server.process.pid).rss,
            "writes": {" ".join(call): count for call, count in sorted(writes.items())},
            "requests": requests_of(await admin.requests() - before),
        }


async def _until_round(process: Process) -> None:
    while (await process.rounds()).get("clean", (0, 0.0))[0] == 0:
        process.server.check()
        await asyncio.sleep(0.1)
