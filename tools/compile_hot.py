"""Compiles the hot modules, with mypyc and Cython: sources listed in pyproject.toml to extension modules.

A module runs as it is where no C compiler is at hand, only slower. Extension modules that do not belong to
the present sources are deleted, so that a stale one never shadows an edited source.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = ROOT / ".venv" / ".compiled"
PACKAGE = "gateway_runtime"
SHARED_LIBRARY = f"{PACKAGE}__mypyc"


def listed_sources(root: Path) -> list[str]:
    """The sources to compile, relative to the root, that exist."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    sources = sorted(settings["tool"]["penstock"]["compiled"])
    missing = [source for source in sources if not (root / source).is_file()]
    if missing:
        raise SystemExit(f"pyproject.toml, [tool.penstock] compiled: no such file: {', '.join(missing)}")
    return sources


def compiler_found() -> bool:
    """Whether a C compiler and Python's headers are there."""
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return header.is_file() and shutil.which(os.environ.get("CC", "cc")) is not None


def build(root: Path, sources: list[str], folder: Path) -> list[Path]:
    """Compile `sources` of `root` into `folder`; answers paths of extension modules relative to it.

    Runs in a process of its own, because mypyc reads and writes relative to the current folder.
    Raises SystemExit with the compiler's output where the sources do not compile.
    """
    command = [sys.executable, str(Path(__file__).resolve()), "--build", str(folder), *sources]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"penstock: the hot modules do not compile:\n{done.stdout}{done.stderr}")
    return [path.relative_to(folder / "lib") for path in sorted((folder / "lib").rglob("*.so"))]


def _build_here(folder: Path, sources: list[str]) -> None:
    from Cython.Build import cythonize  # noqa: PLC0415 - only this process needs the compilers
    from mypyc.build import mypycify  # noqa: PLC0415
    from setuptools import Distribution, Extension  # noqa: PLC0415

    typed = [source for source in sources if source.endswith(".py")]
    extensions = mypycify(
        ["--config-file", "pyproject.toml", *typed],
        opt_level="3",
        debug_level="0",
        multi_file=False,
        separate=False,
        target_dir=str(folder / "c"),
        group_name=PACKAGE,
    )
    scanners = [
        Extension(source.removesuffix(".pyx").replace("/", "."), [source], extra_compile_args=["-O3"])
        for source in sources
        if source.endswith(".pyx")
    ]
    extensions += cythonize(scanners, build_dir=str(folder / "cython"), quiet=True)  # type: ignore[no-untyped-call]
    distribution = Distribution({"name": "penstock", "ext_modules": extensions})
    command = distribution.get_command_obj("build_ext")
    command.build_lib = str(folder / "lib")
    command.build_temp = str(folder / "temp")
    command.ensure_finalized()
    command.run()


def _imported(source: Path) -> Iterable[Path]:
    """Modules of the runtime that a source imports: their types and constants go into the compiled code."""
    if source.suffix != ".py":
        return
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE):
            path = ROOT / (node.module.replace(".", "/") + ".py")
            if path.is_file():
                yield path


def _fingerprint(sources: list[str]) -> str:
    paths = {ROOT / source for source in sources}
    inputs = sorted(
        paths | {path for source in paths for path in _imported(source)} | {Path(__file__).resolve()}
    )
    found = hashlib.sha256(f"{sys.version} {version('mypy')} {version('Cython')} {sources}".encode())
    for path in inputs:
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _extension_modules() -> set[str]:
    found = [*ROOT.glob(f"{SHARED_LIBRARY}*.so"), *(ROOT / PACKAGE).rglob("*.so")]
    return {str(path.relative_to(ROOT)) for path in found}


def _install(folder: Path, built: Iterable[Path]) -> None:
    for path in built:
        target = ROOT / path
        shutil.copy2(folder / "lib" / path, target.with_suffix(".new"))
        target.with_suffix(".new").replace(target)


def _delete(paths: Iterable[str]) -> None:
    for path in paths:
        (ROOT / path).unlink()
    STAMP.unlink(missing_ok=True)


def compile_in_place() -> None:
    """Bring the extension modules in the tree in line with the sources."""
    sources = listed_sources(ROOT)
    wanted = os.environ.get("PENSTOCK_COMPILE", "1") != "0" and compiler_found()
    if not (wanted and sources):
        _delete(_extension_modules())
        return
    stamp = "\n".join([_fingerprint(sources), *sorted(_extension_modules())])
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == stamp:
        return
    print(f"penstock: compiling {len(sources)} hot modules", flush=True)
    _delete(_extension_modules())
    with tempfile.TemporaryDirectory() as folder:
        _install(Path(folder), build(ROOT, sources, Path(folder)))
    STAMP.write_text("\n".join([_fingerprint(sources), *sorted(_extension_modules())]), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        _build_here(Path(sys.argv[2]), sys.argv[3:])
    else:
        compile_in_place()
