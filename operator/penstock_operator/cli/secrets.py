"""`penstock secrets check`: prints which references to secrets resolve, never what to."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
import msgspec

from penstock_operator.cli.tables import print_table
from penstock_operator.standalone.secret_check import Check, Reference, check_secrets


@click.group()
def secrets() -> None:
    """Look at what secrets are named."""


@secrets.command()
@click.option(
    "-f",
    "--folder",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="A folder of manifests, or one file.",
)
@click.option("--offline", is_flag=True, help="Check names and permissions alone; ask no provider.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def check(folder: Path, offline: bool, output: str) -> None:
    """Show which secrets the manifests of a folder name, and whether they are there.

    Exits with 1 where one is not, or a manifest is broken. No value is printed.
    """
    found = check_secrets(folder, offline)
    (_print_json if output == "json" else _print_text)(found)
    sys.exit(0 if found.is_good else 1)


def _print_text(found: Check) -> None:
    rows = [("GATEWAY", "API", "SECRET", "SOURCE", "STATE"), *map(_row, found.references)]
    print_table(rows)
    for reference in found.references:
        if reference.problem:
            of = reference.api or reference.gateway
            click.echo(f"error: {of}: {reference.name}: {reference.problem}")
    for problem in found.problems:
        click.echo(f"{problem} ({problem.reason})")


def _row(reference: Reference) -> tuple[str, ...]:
    return (reference.gateway, reference.api, reference.name, reference.uri, reference.state)


def _print_json(found: Check) -> None:
    document = {
        "references": [asdict(one) for one in found.references],
        "problems": [asdict(one) for one in found.problems],
    }
    click.echo(msgspec.json.format(msgspec.json.encode(document)))
