"""`penstock validate`: prints what is wrong with the manifests of a folder."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from penstock_operator.graph.build import build_graph
from penstock_operator.resources.problems import Problem
from penstock_operator.standalone.folder import Folder
from penstock_operator.standalone.gateway import with_gateway


@click.command()
@click.option(
    "-f",
    "--folder",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="A folder of manifests, or one file.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def validate(folder: Path, output: str) -> None:
    """Check manifests without running them.

    Exits with 1 where there is an error; warnings alone are no failure.
    """
    problems, count = find_problems(folder)
    errors = sum(problem.severity == "Error" for problem in problems)
    summary = {"resources": count, "errors": errors, "warnings": len(problems) - errors}
    print_problems = _print_json if output == "json" else _print_text
    print_problems(problems, summary)
    sys.exit(1 if errors else 0)


def find_problems(path: Path) -> tuple[tuple[Problem, ...], int]:
    """All problems of the manifests at a path, sorted by place, and the number of their resources."""
    folder = Folder(path)
    folder.scan()
    resources = folder.resources()
    graph = build_graph(with_gateway(resources), now=datetime.now(UTC), broken=folder.broken())
    problems = [*folder.problems(), *graph.problems]
    if not resources and not problems:
        message = "there are no resources of penstock.dev here"
        problems.append(Problem("Error", "NoResources", message, file=str(path)))
    return tuple(sorted(problems, key=lambda problem: (problem.file, problem.line, problem.field))), len(
        resources
    )


def _print_text(problems: tuple[Problem, ...], summary: dict[str, int]) -> None:
    for problem in problems:
        click.echo(f"{problem} ({problem.reason})")
    click.echo(", ".join(_counted(count, name) for name, count in summary.items()))


def _print_json(problems: tuple[Problem, ...], summary: dict[str, int]) -> None:
    document = {"problems": [asdict(problem) for problem in problems], "summary": summary}
    click.echo(msgspec.json.format(msgspec.json.encode(document)))


def _counted(count: int, plural: str) -> str:
    return f"{count} {plural.removesuffix('s') if count == 1 else plural}"
