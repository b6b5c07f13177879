"""`penstock run`: serve the manifests of a folder, with no cluster."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gateway_runtime.processes.memory import seal_memory, tell_of_memory
from gateway_runtime.processes.source import Update
from gateway_runtime.processes.supervisor import Options, Supervisor
from gateway_runtime.secrets.source import ResolvingSource
from penstock_operator.cli.logs import log_format_option, start_logging
from penstock_operator.standalone.source import FolderSource


@click.command()
@click.option(
    "-f", "--folder", "path", type=click.Path(exists=True, path_type=Path), required=True,
    help="A folder of manifests, or one file.",
)  # fmt: skip
@click.option("--gateway", help="The GatewayDeployment to run, where there are several.")
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    help="Worker processes; default: by the manifest, or one a CPU.",
)
@click.option(
    "--admin", default="127.0.0.1:9900", show_default=True, help="Address and port of the admin server."
)
@click.option(
    "--drain-delay", default=0.0, show_default=True, help="Seconds from failing readiness to draining."
)
@log_format_option
def run(
    path: Path, gateway: str | None, workers: int | None, admin: str, drain_delay: float, log_format: str
) -> None:
    """Serve the manifests of a folder, and follow its changes."""
    start_logging(log_format)
    host, _, port = admin.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter("expected ADDRESS:PORT", param_hint="--admin")
    tell_of_memory(seal_memory())
    source = FolderSource(path, gateway)
    first = source.load()
    gc.collect()
    gc.freeze()  # what was just read stays: the collector need not look at it at each edit
    count = workers or first.workers or len(os.sched_getaffinity(0))
    options = Options(count, host.strip("[]"), int(port), drain_delay)
    sys.exit(asyncio.run(_serve(ResolvingSource(source, first), options)))


async def _serve(source: ResolvingSource, options: Options) -> int:
    async with source.following() as update:
        return await Supervisor(source, options, _report).run(update)


def _report(update: Update, failures: Sequence[str], places: Sequence[str]) -> None:
    """Tell on standard error what is served and what is wrong."""
    for problem in [*update.problems, *failures]:
        click.echo(str(problem), err=True)
    if places:
        click.echo(f"penstock: serving {len(update.snapshot.apis)} APIs on {', '.join(places)}", err=True)
