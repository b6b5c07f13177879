"""Published Go modules -> programs: a go.mod of our own around a module, then one cached build a program.

An own go.mod, because `go install` refuses modules whose go.mod has `replace` lines. Nothing but PyPI (for
the toolchain, where none is there) and the Go module proxy is needed; cgo is off, so no C compiler either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.components.cache import Recipe, cached
from e2e.components.commands import run
from e2e.components.toolchain import go

_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}


@dataclass(frozen=True, slots=True)
class GoModule:
    """A published module, and what a go.mod that requires it holds besides."""

    name: str
    path: str
    version: str
    go: str
    """Its go directive, and so the oldest toolchain that builds it."""
    packages: tuple[str, ...]
    """All main packages that are built with it: `go mod tidy` keeps what they need."""
    staging: str | None = None
    """The published version of the modules that its own go.mod replaces with folders `./staging/...`."""
    ldflags: str = "-s -w"


@dataclass(frozen=True, slots=True)
class GoProgram:
    """One main package of a module; `takes` says how long its first build is."""

    name: str
    module: GoModule
    package: str
    takes: str


def built(program: GoProgram) -> Path:
    """The path of the program, built where the cache has none."""
    inputs = (repr(program.module), repr(_ENVIRONMENT), program.package)
    recipe = Recipe(program.name, program.module.version.removeprefix("v"), inputs, program.takes)
    return cached(recipe, lambda folder: _build(program, folder)) / program.name


def _build(program: GoProgram, folder: Path) -> None:
    module = program.module
    options = ["-trimpath", "-ldflags", module.ldflags, "-o", str(folder / program.name)]
    _go(module, _module_folder(module), "build", *options, program.package)


def _module_folder(module: GoModule) -> Path:
    inputs = (repr(module), repr(_ENVIRONMENT))
    name = f"{module.name}-go.mod"
    recipe = Recipe(name, module.version.removeprefix("v"), inputs, "about a minute of downloads")
    return cached(recipe, lambda folder: _write_module(module, folder))


def _write_module(module: GoModule, folder: Path) -> None:
    _go(module, folder, "mod", "init", f"penstock.dev/components/{module.name}")
    replaces = [f"-replace={path}={path}@{module.staging}" for path in _staged(module, folder)]
    tools = [f"-tool={package}" for package in module.packages]
    required = f"-require={module.path}@{module.version}"
    _go(module, folder, "mod", "edit", f"-go={module.go}", required, *replaces, *tools)
    _go(module, folder, "mod", "tidy")


def _staged(module: GoModule, folder: Path) -> list[str]:
    """The modules that this one's go.mod takes from its own folder `staging`: published beside it."""
    if not module.staging:
        return []
    download = json.loads(_go(module, folder, "mod", "download", "-json", f"{module.path}@{module.version}"))
    parsed: dict[str, Any] = json.loads(_go(module, folder, "mod", "edit", "-json", download["GoMod"]))
    return [
        replace["Old"]["Path"]
        for replace in parsed["Replace"]
        if replace["New"]["Path"].startswith("./staging/")
    ]


def _go(module: GoModule, folder: Path, *arguments: str) -> str:
    return run([go(module.go), *arguments], folder, _ENVIRONMENT)
