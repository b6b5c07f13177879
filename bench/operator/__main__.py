"""`python -m bench.operator`: thousands of APIs in a real Kubernetes API, and edits of single ones."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench.machine import machine, versions
from bench.operator.admin import Admin, administrator
from bench.operator.edits import Edit, Scene, edit_often
from bench.operator.load import steady_load
from bench.operator.objects import OBJECTS, SUBSCRIPTIONS, api_objects
from bench.operator.progress import Progress, following
from bench.operator.restart import measure_restart
from bench.operator.samples import Row, Times, growth, sample
from bench.operator.site import Process, make_gateway, operator, pod, prepare
from bench.operator.summary import edit_row, make_goals, requests_of
from bench.table import print_goals
from e2e.components import kubernetes
from e2e.components.control_plane import ControlPlane
from e2e.components.ports import free_port

_RESULTS = Path(__file__).parents[1] / "results" / "operator.json"
_SHARES = (0.2, 0.5, 1.0)
_PATIENCE = 1200.0
_SEED = 4


@dataclass(frozen=True, slots=True)
class Options:
    """How many APIs, and how many edits without load and under load."""

    apis: int
    edits: int


@click.command()
@click.option("--apis", type=click.IntRange(10), default=5000, show_default=True, help="How many APIs.")
@click.option("--edits", type=click.IntRange(1), default=60, show_default=True, help="How many edits, twice.")
@click.option("--out", type=click.Path(path_type=Path), default=_RESULTS, help="The file of the results.")
@click.option("--logs", type=click.Path(path_type=Path), help="Where the logs of operator and pod stay.")
def main(apis: int, edits: int, out: Path, logs: Path | None) -> None:
    """Measure the operator; results go to bench/results/operator.json."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        place = logs or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        results = asyncio.run(measure(Options(apis, edits), place))
    print_goals(results["goals"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nwritten to {out}")


async def measure(options: Options, logs: Path) -> dict[str, Any]:
    """All results, as they are written."""
    begun = time.monotonic()
    with ControlPlane() as plane:
        prepare(plane)
        async with administrator(plane) as admin:
            found = await _measured(plane, admin, options, logs)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions([]) | {"kubernetes": kubernetes.VERSION},
        "apis": options.apis,
        "objects": options.apis * OBJECTS,
        **found,
        "run_seconds": round(time.monotonic() - begun),
        "goals": make_goals(found),
    }


async def _measured(plane: ControlPlane, admin: Admin, options: Options, logs: Path) -> dict[str, Any]:
    port = free_port()
    async with AsyncExitStack() as stack:
        progress = await stack.enter_async_context(following(admin))
        async with AsyncExitStack() as first:
            running = await first.enter_async_context(operator(plane, logs / "operator.log"))
            await running.until_ready()
            await make_gateway(admin, port)
            gateway = await stack.enter_async_context(pod(plane, logs / "pod.log"))
            await gateway.until_ready()
            rows = [sample(0, Times(), running, gateway)]
            before = await admin.requests()
            rows += await _stages(admin, progress, options, (running, gateway))
            start = requests_of(await admin.requests() - before)
            rounds = await running.rounds()
            scene = Scene(admin, running, progress, port, options.apis)
            edits = await _edits(scene, options)
        restart = await measure_restart(plane, logs, admin)
    return {
        "stages": rows,
        "growth": growth(rows),
        "ready_seconds": round(sum(row["ready_seconds"] for row in rows), 1),
        "start": {"requests": start, "rounds": rounds},
        **edits,
        "restart": restart,
    }


async def _stages(
    admin: Admin, progress: Progress, options: Options, processes: tuple[Process, Process]
) -> list[Row]:
    rows, there = [], 0
    for share in _SHARES:
        upto = round(options.apis * share)
        times = await _stage(admin, progress, there, upto)
        rows.append(sample(upto, times, *processes))
        print(json.dumps(rows[-1]), flush=True)
        there = upto
    return rows


async def _stage(admin: Admin, progress: Progress, first: int, upto: int) -> Times:
    begun = time.monotonic()
    await admin.create(api_objects(index) for index in range(first, upto))
    created = time.monotonic() - begun
    wanted = {"ApiDefinition": upto, "Plan": 2 * upto, "Subscription": SUBSCRIPTIONS * upto}
    await progress.until(wanted, _PATIENCE)
    return Times(created, time.monotonic() - begun)


async def _edits(scene: Scene, options: Options) -> dict[str, Any]:
    chance = random.Random(_SEED)
    count = min(options.edits, scene.apis)
    before, cpu = await scene.admin.requests(), scene.operator.server.cpu_seconds()
    quiet = await edit_often(scene, count, chance)
    cpu = scene.operator.server.cpu_seconds() - cpu
    requests = requests_of(await scene.admin.requests() - before)
    async with steady_load(scene.port, scene.apis) as load:
        loaded = await edit_often(scene, count, chance)
        seen = load.summary()
    rows: list[tuple[str, list[Edit]]] = [("quiet", quiet), ("under load", loaded)]
    return {
        "edits": [edit_row(name, found) for name, found in rows],
        "edit_requests": requests,
        "edit_operator_cpu_ms": round(cpu * 1000 / count, 1),
        "load": seen,
    }


if __name__ == "__main__":
    main()
