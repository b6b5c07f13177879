"""`python -m bench.kafka`: clients at a broker directly, through Penstock and through Kroxylicious."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench.kafka.goals import make_goals
from bench.kafka.peers import PEERS
from bench.kafka.rounds import RECORDS, Rounds, Schedule
from bench.kafka.rows import latency_rows, memory_rows, throughput_rows
from bench.kafka.table import print_results
from bench.machine import machine
from bench.processes import LOAD_CPU
from bench.table import print_goals
from e2e.components.kafka import VERSION, Kafka
from e2e.components.kafka_configuration import Options as KafkaOptions

_MEMORY = Path("/dev/shm")
"""Where records are: on a disk, the disk would be measured."""
_BROKER = {"log.segment.delete.delay.ms": "1000"}
"""Records of a round are gone before those of the next have come."""
_RESULTS = Path(__file__).parents[1] / "results" / "kafka.json"


def _peers(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(value.split(",")) if value else tuple(PEERS)
    if unknown := set(names) - set(PEERS):
        raise click.BadParameter(f"{', '.join(unknown)}; known: {', '.join(PEERS)}")
    return names


@click.command()
@click.option("--peers", default="", callback=_peers, help=f"Of {','.join(PEERS)}.")
@click.option("--sizes", type=int, multiple=True, help="Of 100, 1024 and 10240.")
@click.option("--rounds", type=int, default=3, show_default=True, help="How often each peer is measured.")
@click.option("--warm-ups", type=int, default=2, show_default=True, help="Rounds before that do not count.")
@click.option("--scale", type=float, default=1.0, show_default=True, help="The part of the records.")
@click.option("--latency-seconds", type=int, default=20, show_default=True, help="0: no latencies.")
@click.option("--idle", type=int, default=1000, show_default=True, help="Idle connections; 0: none.")
@click.option("--out", type=click.Path(path_type=Path), default=_RESULTS, help="The file of the results.")
def main(out: Path, **given: Any) -> None:
    """Measure the Kafka gateway beside its peers; results go to bench/results/kafka.json."""
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("bench-kafka needs two CPUs: one for the proxy, one for the load and the broker")
    sizes = given.pop("sizes") or tuple(RECORDS)
    results = measure(Schedule(sizes=sizes, **given))
    print_results(results)
    print_goals(results["goals"])
    for problem in results["problems"]:
        print(f"problem: {problem}", file=sys.stderr)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nwritten to {out}")


def measure(schedule: Schedule) -> dict[str, Any]:
    """All results, as they are written."""
    os.sched_setaffinity(0, {LOAD_CPU})  # the broker's too, and that of all that is not given another
    tempfile.tempdir = str(_MEMORY)
    options = KafkaOptions(brokers=1, java=("-Xms1g", "-Xmx1g"), properties=_BROKER)
    with Kafka(options) as kafka, tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        rounds = Rounds(schedule, kafka.bootstrap())
        with ExitStack() as stack:
            rounds.start(stack, Path(name))
            rounds.run()
    throughput, latency = throughput_rows(rounds.samples), latency_rows(rounds.samples)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": _versions(schedule),
        "rounds": schedule.rounds,
        "warm_ups": schedule.warm_ups,
        "throughput": throughput,
        "latency": latency,
        "memory": memory_rows(rounds.samples),
        "problems": rounds.problems,
        "goals": make_goals(throughput, latency),
    }


def _versions(schedule: Schedule) -> dict[str, str]:
    found = {name: PEERS[name].version() for name in schedule.peers}
    return {"kafka": VERSION} | {name: one for name, one in found.items() if one}


if __name__ == "__main__":
    main()
