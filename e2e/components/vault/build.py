"""Vault's Go module and the main package beside this file -> a program that serves one, in memory."""

from __future__ import annotations

from pathlib import Path

from e2e.components.go import GoModule, GoProgram, built

VERSION = "v1.21.4"

_PATH = "github.com/hashicorp/vault"
_VAULT = GoProgram(
    name="vault",
    module=GoModule(
        name="vault",
        path=_PATH,
        version=VERSION,
        go="1.25.3",
        packages=(),
        # Its own go.mod takes these from folders of its repository or from forks; sdk v0.21.0 does not fit.
        replaces=(
            f"{_PATH}/sdk={_PATH}/sdk@v0.20.0",
            "github.com/99designs/keyring=github.com/Jeffail/keyring@v1.2.3",
            "github.com/ma314smith/signedxml@v1.1.1=github.com/moov-io/signedxml@v1.1.1",
        ),
        source=Path(__file__).parent,
    ),
    package=".",
    takes="about 8 minutes on 2 cores",
)


def program() -> Path:
    """The path of the program; built the first time."""
    return built(_VAULT)
