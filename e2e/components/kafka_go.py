"""A folder with a main package that uses franz-go -> the program."""

from __future__ import annotations

from pathlib import Path

from e2e.components.go import GoModule, GoProgram, built

VERSION = "v1.22.3"
_PATH = "github.com/twmb/franz-go"
_ADMIN = f"{_PATH}/pkg/kadm"


def franz(source: Path) -> Path:
    """The path of the program; built the first time."""
    module = GoModule(
        name="franz",
        path=_PATH,
        version=VERSION,
        go="1.26.0",
        packages=(),
        replaces=(f"{_ADMIN}={_ADMIN}@v1.19.0",),  # a module of its own, held at one version
        source=source,
    )
    return built(GoProgram("franz", module, ".", "about half a minute"))
