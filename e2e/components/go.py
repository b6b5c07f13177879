"""Published Go modules -> programs: a go.mod of our own around a module, then one cached build a program.

An own go.mod, because `go install` refuses modules whose go.mod has `replace` lines. Nothing but PyPI (for
the toolchain, where none is there) and the Go module proxy is needed; cgo is off, so no C compiler either.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
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
    replaces: tuple[str, ...] = field(default=(), repr=False)
    """Lines `OLD=NEW@VERSION` in place of its own go.mod's."""
    source: Path | None = field(default=None, repr=False)
    """A folder with a main package of our own, `.`, in place of one that the module has."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """All that decides what is built."""
        return (repr(self), repr(_ENVIRONMENT), *self.replaces, *(file.read_text() for file in self.files))

    @property
    def files(self) -> list[Path]:
        """The files of the main package of our own."""
        return sorted(self.source.glob("*.go")) if self.source else []


@dataclass(frozen=True, slots=True)
class GoProgram:
    """One main package of a module; `takes` says how long its first build is."""

    name: str
    module: GoModule
    package: str
    takes: str


def built(program: GoProgram) -> Path:
    """The path of the program, built where the cache has none."""
    inputs = (*program.module.inputs, program.package)
    recipe = Recipe(program.name, program.module.version.removeprefix("v"), inputs, program.takes)
    return cached(recipe, lambda folder: _build(program, folder)) / program.name


def _build(program: GoProgram, folder: Path) -> None:
    module = program.module
    options = ["-trimpath", "-ldflags", module.ldflags, "-o", str(folder / program.name)]
    _go(module, _module_folder(module), "build", *options, program.package)


def _module_folder(module: GoModule) -> Path:
    name = f"{module.name}-go.mod"
    version = module.version.removeprefix("v")
    recipe = Recipe(name, version, module.inputs, "about a minute of downloads")
    return cached(recipe, lambda folder: _write_module(module, folder))


def _write_module(module: GoModule, folder: Path) -> None:
    for file in module.files:
        shutil.copy(file, folder)
    _go(module, folder, "mod", "init", f"penstock.dev/components/{module.name}")
    replaces = [f"-replace={path}={path}@{module.staging}" for path in _staged(module, folder)]
    replaces += [f"-replace={line}" for line in module.replaces]
    tools = [f"-tool={package}" for package in module.packages]
    required = f"-require={module.path}@{module.version}"
    _go(module, folder, "mod", "edit", f"-go={module.go}", required, *replaces, *tools)
    # The tests of what a main package of our own imports need modules that are published nowhere.
    _go(module, folder, "mod", "tidy", *(["-e"] if module.source else []))


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
