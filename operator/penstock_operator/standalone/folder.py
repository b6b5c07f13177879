"""Turns a folder of manifests into resources, reading again only what has changed in it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from penstock_operator.manifests.reader import SUFFIXES, manifest_files
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.problems import Problem
from penstock_operator.standalone.files import FileState, identity, load_file

_EMPTY = FileState()
_SETTLE = 0.05
"""Seconds after which a file that was found empty is read: many editors truncate, then write."""

_Signature = tuple[int, int, int, int]


class Folder:
    """The files below a folder (or one file) as they were last read."""

    __slots__ = ("_files", "_folders", "_in_order", "_places", "_signatures", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: dict[Path, FileState] = {}
        self._folders: set[Path] = set()
        """All that files are below."""
        self._in_order: list[FileState] = []
        self._places: dict[Path, int] = {}
        """Where in the order of files each one is; empty where the order is to be made anew."""
        self._signatures: dict[Path, _Signature | None] = {}

    def scan(self) -> bool:
        """Look at every file; answers whether one changed."""
        found = list(manifest_files(self.path)) if self.path.is_dir() else [self.path]
        gone = self._files.keys() - set(found)
        return self._look_at((*found, *gone))

    def refresh(self, changed: Iterable[Path]) -> bool:
        """Look at files that may have changed; answers whether one did.

        A folder or a link may stand for any file below. Other files do not matter, nor what came and went, as
        the temporary file that an editor renames.
        """
        paths = {path for path in set(changed) if self._matters(path)}
        if all(path in self._files or self._is_manifest(path) for path in paths):
            return self._look_at(sorted(paths))
        return self.scan()

    def resources(self) -> list[Parsed]:
        """All resources in the order of their files, the held ones last."""
        states = self._states()
        resources = list(chain.from_iterable([state.resources for state in states]))
        held = [parsed for state in states if state.held for parsed in state.held]
        if held:
            present = {identity(parsed) for parsed in resources}
            resources += [parsed for parsed in held if identity(parsed) not in present]
        return resources

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files."""
        return tuple([problem for state in self._states() if state.problems for problem in state.problems])

    def broken(self) -> frozenset[str]:
        """`Kind namespace/name` of what could not be parsed."""
        return frozenset(name for state in self._states() if state.broken for name in state.broken)

    def breaks_gateway(self) -> bool:
        """Whether a broken part of a file is, or may be, a GatewayDeployment."""
        return any(state.breaks_gateway for state in self._states())

    def gateways(self) -> frozenset[str]:
        """The keys of the GatewayDeployments."""
        return frozenset(key for state in self._states() if state.gateways for key in state.gateways)

    def _states(self) -> list[FileState]:
        if not self._places:
            order = sorted(self._files)
            self._places = {path: place for place, path in enumerate(order)}
            self._in_order = [self._files[path] for path in order]
            folders = {path.parent for path in order}
            self._folders = folders.union(*(folder.parents for folder in folders))
        return self._in_order

    def _matters(self, path: Path) -> bool:
        if path in self._files or path.is_symlink() or path.is_dir():
            return True
        return self._is_manifest(path) if path.exists() else path in self._folders

    def _is_manifest(self, path: Path) -> bool:
        if path.suffix not in SUFFIXES or not path.is_file() or not path.is_relative_to(self.path):
            return False
        return not any(part.startswith(".") for part in path.relative_to(self.path).parts)

    def _look_at(self, paths: Iterable[Path]) -> bool:
        changed = [path for path in paths if self._read(path)]
        return bool(changed)

    def _read(self, path: Path) -> bool:
        signature = _signature(path)
        before = self._files.get(path)
        if signature is None and path != self.path:
            self._signatures.pop(path, None)
            self._places = {}
            return self._files.pop(path, None) is not None
        if before is not None and self._signatures[path] == signature:
            return False
        if before is not None and before.resources and signature and signature[1] == 0:
            time.sleep(_SETTLE)
            signature = _signature(path)
        self._signatures[path] = signature
        state = self._files[path] = load_file(path, before or _EMPTY)
        if path in self._places:
            self._in_order[self._places[path]] = state
        else:
            self._places = {}
        return True


def _signature(path: Path) -> _Signature | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_dev)
