"""CoreDNS' Go module -> the `coredns` program, built once."""

from __future__ import annotations

from pathlib import Path

from e2e.components.go import GoModule, GoProgram, built

VERSION = "v1.15.0"

_PACKAGE = "github.com/coredns/coredns"
_COREDNS = GoProgram(
    name="coredns",
    module=GoModule(name="coredns", path=_PACKAGE, version=VERSION, go="1.26.0", packages=(_PACKAGE,)),
    package=_PACKAGE,
    takes="about 4 minutes on 2 cores",
)


def program() -> Path:
    """The path of CoreDNS; built the first time."""
    return built(_COREDNS)
