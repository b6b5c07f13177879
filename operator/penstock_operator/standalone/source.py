"""Watches a folder of manifests and turns each change into an update of what to serve."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

from penstock_operator.standalone.folder import Folder
from penstock_operator.standalone.pipeline import Contents, Pipeline, Update

_DEBOUNCE = 50
_STEP = 25
_TIMEOUT = 1000
"""Milliseconds: changes are gathered for so long at most, after so much silence; a look without a change.

A thread of watchfiles wakes up once in each step, for ever: at 5 ms that was 1 % of a CPU.
"""

__all__ = ["FolderSource", "Update"]


class FolderSource:
    """The manifests of a folder (or of one file) as updates; `gateway` names the GatewayDeployment to run."""

    def __init__(self, path: Path, gateway: str | None = None) -> None:
        self._folder = Folder(path.absolute())
        self._pipeline = Pipeline(gateway)
        # Threads read: that of `load`, and that of `watch`.
        self._reading = threading.Lock()

    def load(self) -> Update:
        """Read the folder, all that has changed in it, and say what to serve."""
        with self._reading:
            self._folder.scan()
            return self._update()

    async def watch(self) -> AsyncIterator[Update]:
        """An update after each change; call `load` before.

        The folder is looked at once as soon as it is watched, so that no change since `load` is missed.
        """
        path = self._folder.path
        folder, recursive = (path, True) if path.is_dir() else (path.parent, False)
        changes = awatch(
            folder,
            watch_filter=None,
            debounce=_DEBOUNCE,
            step=_STEP,
            rust_timeout=_TIMEOUT,
            yield_on_timeout=True,
            recursive=recursive,
        )
        looked = False
        async for change in changes:
            paths = None if not looked else {Path(name) for _, name in change}
            looked = True
            update = await asyncio.to_thread(self._refresh, paths)
            if update is not None:
                yield update

    def missing(self) -> str:
        """A folder can always be served, be it empty."""
        return ""

    def _refresh(self, paths: set[Path] | None) -> Update | None:
        if paths is not None and not paths:
            return None
        with self._reading:
            changed = self._folder.scan() if paths is None else self._folder.refresh(paths)
            return self._update() if changed else None

    def _update(self) -> Update:
        folder = self._folder
        contents = Contents(
            folder.resources(),
            folder.gateways(),
            folder.problems(),
            folder.broken(),
            folder.breaks_gateway(),
        )
        return self._pipeline.run(contents)
