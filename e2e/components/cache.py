"""Recipe -> folder in the cache: built once on a machine, whoever asks first, and then only looked up.

A folder appears under its name only when it is whole. Builders of the same component wait for each other at
a file lock, which the kernel releases when its holder dies; what a killed builder left is swept by the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.components.progress import say


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is built: all that decides the result is in `inputs`; `takes` tells the user how long."""

    name: str
    version: str
    inputs: tuple[str, ...]
    takes: str

    @property
    def folder_name(self) -> str:
        """Name, version and a digest of the inputs and the machine's architecture."""
        text = "\0".join((*self.inputs, sys.platform, platform.machine()))
        return f"{self.name}-{self.version}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def cache_root() -> Path:
    """The folder of all components: below XDG_CACHE_HOME, which defaults to ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "penstock" / "components"


def cached(recipe: Recipe, build: Callable[[Path], None]) -> Path:
    """The recipe's folder; `build` fills a fresh one where none is there yet."""
    root = cache_root()
    folder = root / recipe.folder_name
    if not folder.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        with _lock(root / f".{recipe.folder_name}.lock", recipe):
            if not folder.is_dir():
                _build(recipe, build, folder)
    return folder


def _build(recipe: Recipe, build: Callable[[Path], None], folder: Path) -> None:
    prefix = f".{folder.name}.building-"
    for left in folder.parent.glob(f"{prefix}*"):
        shutil.rmtree(left)
    say(f"building {recipe.name} {recipe.version} (first time only, {recipe.takes})")
    begin = time.monotonic()
    partial = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        build(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial)
        raise
    say(f"built {recipe.name} {recipe.version} in {time.monotonic() - begin:.0f} s")


@contextmanager
def _lock(path: Path, recipe: Recipe) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that builds {recipe.name} {recipe.version}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
