"""`python -m bench.http`: Penstock beside Envoy, nginx and HAProxy; what reloads and 1,000 APIs cost it."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import click

from bench.backend import backend
from bench.goals import make_goals
from bench.machine import machine, versions
from bench.memory import measure_memory
from bench.peers.known import PEERS
from bench.preflight import preflight
from bench.reload import Reloads, measure_reload
from bench.rounds import FAILURES, Rounds, Schedule, Site
from bench.rows import make_rows
from bench.table import print_goals, print_rows
from bench.works import BODIES, WORKS

_RESULTS = Path(__file__).parent / "results" / "http.json"
_PARTS = (*WORKS, "memory", "reload")
_FULL = Schedule(rounds=3, seconds=3, cells=tuple(product(BODIES, (32, 512))))
_QUICK = Schedule(rounds=1, seconds=2, cells=(("1k", 32), ("1m", 32)))


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured: parts and peers by name."""

    parts: tuple[str, ...]
    peers: tuple[str, ...]
    schedule: Schedule
    reloads: Reloads


def _names(known: tuple[str, ...]) -> Any:
    """A click callback that splits and checks a list of names."""

    def split(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
        names = tuple(value.split(",")) if value else known
        unknown = set(names) - set(known)
        if unknown:
            raise click.BadParameter(f"{', '.join(unknown)}; known: {', '.join(known)}")
        return names

    return split


@click.command()
@click.option("--quick", is_flag=True, help="One round, 1 KiB and 1 MiB, 32 connections.")
@click.option("--only", default="", callback=_names(_PARTS), help=f"Of {','.join(_PARTS)}.")
@click.option("--peers", default="", callback=_names(tuple(PEERS)), help=f"Of {','.join(PEERS)}.")
@click.option("--rounds", type=int, help="How often each cell is measured.")
@click.option("--bodies", default="", callback=_names(tuple(BODIES)), help=f"Of {','.join(BODIES)}.")
@click.option("--connections", type=int, multiple=True, help="32 or 512, or both.")
@click.option("--out", type=click.Path(path_type=Path), default=_RESULTS, help="The file of the results.")
def main(out: Path, **given: Any) -> None:
    """Measure the data plane beside its peers; results go to bench/results/http.json."""
    options = _options(given)
    preflight(list(options.peers))
    results = measure(options)
    print_rows(results["rows"])
    print_goals(results["goals"])
    for problem in results["problems"]:
        print(f"problem: {problem}", file=sys.stderr)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nwritten to {out}")


def _options(given: dict[str, Any]) -> Options:
    base = _QUICK if given["quick"] else _FULL
    connections = given["connections"] or (32, 512)
    cells = tuple(cell for cell in base.cells if cell[0] in given["bodies"] and cell[1] in connections)
    schedule = Schedule(given["rounds"] or base.rounds, base.seconds, cells)
    reloads = Reloads(apis=10_000, times=5 if given["quick"] else 10)
    return Options(given["only"], given["peers"], schedule, reloads)


def measure(options: Options) -> dict[str, Any]:
    """All results, as they are written."""
    peers = [PEERS[name] for name in options.peers]
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name, backend(Path(name)) as port:
        site = Site(port, Path(name))
        rounds = Rounds(site, options.schedule)
        for part in options.parts:
            if part in WORKS:
                print(part, flush=True)
                if part == "policies":
                    rounds.check_limits(peers, WORKS[part])
                rounds.measure(peers, WORKS[part])
        extra = _own(options, site, rounds.problems)
    rows = make_rows(rounds.samples)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(peers),
        "rows": rows,
        "ready_seconds": rounds.ready_seconds,
        **extra,
        "problems": rounds.problems,
        "goals": make_goals(rows, extra["memory"], extra["reload"]),
    }


def _own(options: Options, site: Site, problems: list[str]) -> dict[str, Any]:
    """What is measured of Penstock alone."""
    found: dict[str, Any] = {"memory": None, "reload": None}
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "memory": lambda: measure_memory(site, 1000),
        "reload": lambda: measure_reload(site, options.reloads),
    }
    for part, run in parts.items():
        if part in options.parts and "penstock" in options.peers:
            print(part, flush=True)
            try:
                found[part] = run()
            except FAILURES as error:
                problems.append(f"penstock, {part}: {error}")
    return found


if __name__ == "__main__":
    main()
