"""Writes `crds/` and the reference documentation from the models, or checks that they are up to date.

python -m penstock_operator.resources.generate [--check] --crds crds --docs docs/reference
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from penstock_operator.resources.crd import crd_yaml
from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.meta import GROUP
from penstock_operator.resources.reference import pages


def crd_files() -> dict[str, str]:
    """File name -> YAML of all CustomResourceDefinitions."""
    return {f"{GROUP}_{model.names.plural}.yaml": crd_yaml(model) for model in KINDS.values()}


def stale(folder: Path, wanted: Mapping[str, str]) -> list[Path]:
    """The files of a folder that are missing, differ from what is wanted, or are no longer wanted."""
    differing = [folder / name for name, text in wanted.items() if _read(folder / name) != text]
    return sorted(differing + _left_over(folder, wanted))


def write(folder: Path, wanted: Mapping[str, str]) -> None:
    """Makes the folder hold what is wanted; generated files that are no longer wanted are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in _left_over(folder, wanted):
        path.unlink()


def _left_over(folder: Path, wanted: Mapping[str, str]) -> list[Path]:
    suffixes = {Path(name).suffix for name in wanted}
    return [path for path in folder.glob("*") if path.suffix in suffixes and path.name not in wanted]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file differs.")
@click.option("--crds", type=click.Path(path_type=Path), required=True, help="Folder of the CRDs.")
@click.option("--docs", type=click.Path(path_type=Path), required=True, help="Folder of the reference.")
def main(check: bool, crds: Path, docs: Path) -> None:
    """Write the CRDs and the reference documentation."""
    folders = {crds: crd_files(), docs: pages()}
    if check:
        differing = [path for folder, wanted in folders.items() for path in stale(folder, wanted)]
        for path in differing:
            click.echo(f"{path} is out of date; run `make generate` and see `git diff {path}`", err=True)
        sys.exit(1 if differing else 0)
    for folder, wanted in folders.items():
        write(folder, wanted)
        click.echo(f"{folder}: {len(wanted)} files")


if __name__ == "__main__":
    main()
