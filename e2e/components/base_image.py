"""Debian packages -> the root file system of the base of Penstock's image, where no registry is.

What the official image of that name has and the Dockerfile uses: Debian, Python with pip and venv as
`python`, and the certificates of authorities; here those that this machine trusts.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from e2e.components import packages
from e2e.components.cache import Recipe, cached
from e2e.components.commands import run

TAG = "python:3.11-slim-bookworm"
_SUITE = "bookworm"
_INCLUDED = "ca-certificates,python3,python3-pip,python3-venv"
_NAMES = {"python": "python3", "python3": "python3", "pip": "pip3", "pip3": "pip3"}
_AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
# Found anew where they are needed; and the note that forbids pip, which the official image does not have.
_LEFT_OUT = (
    "dev/*",
    "proc/*",
    "sys/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
    "usr/lib/*/EXTERNALLY-MANAGED",
)


def base_archive() -> Path:
    """A tar file of the root file system, made once."""
    recipe = Recipe("base-image", _SUITE, (_INCLUDED, *_LEFT_OUT), "about 3 minutes")
    return cached(recipe, _build) / "root.tar"


def _build(folder: Path) -> None:
    packages.require({"debootstrap": "debootstrap"})
    root = folder / "root"
    run(["debootstrap", "--variant=minbase", f"--include={_INCLUDED}", _SUITE, root], folder)
    for name, target in _NAMES.items():
        (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{target}")
    shutil.copyfile(Path("/") / _AUTHORITIES, root / _AUTHORITIES)
    left_out = [f"--exclude=./{path}" for path in _LEFT_OUT]
    run(["tar", "--create", f"--directory={root}", *left_out, "--file=root.tar", "."], folder)
    shutil.rmtree(root)
