"""Debian packages -> installed, where root on Debian or Ubuntu, else an error that names the command."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from e2e.components.commands import BuildError, run

_ROOT = Path(__file__).parents[2]


def can_install() -> bool:
    """Whether this user may install packages here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def require(packages: Mapping[str, str]) -> None:
    """Installs the packages whose program (a name on PATH, or a path) is missing: `{package: program}`."""
    missing = [package for package, program in packages.items() if not shutil.which(program)]
    if not missing:
        return
    if not can_install():
        raise BuildError(f"missing programs; install them: sudo apt-get install -y {' '.join(missing)}")
    run([_ROOT / "tools" / "apt_install.sh", *missing], _ROOT)
