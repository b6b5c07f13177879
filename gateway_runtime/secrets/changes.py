"""Many small changes -> one moment at which to look: after some silence, or soon in any case."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

_QUIET: Final = 0.02
_LONGEST: Final = 0.1
"""Seconds: a burst is over after so much silence, or so long after the first change."""


class Changes:
    """What is told of changes, and waits for them."""

    def __init__(self) -> None:
        self._dirty = asyncio.Event()

    def tell(self) -> None:
        """Something has changed."""
        self._dirty.set()

    async def settled(self, until: float | None) -> None:
        """Wait for a change, or until that monotonic time, and then for the end of the burst."""
        await self._wait(None if until is None else until - monotonic())
        end = monotonic() + _LONGEST
        while monotonic() < end:
            self._dirty.clear()
            if not await self._wait(_QUIET):
                return

    async def _wait(self, seconds: float | None) -> bool:
        """Whether there was a change within so many seconds."""
        try:
            async with asyncio.timeout(None if seconds is None else max(0.0, seconds)):
                await self._dirty.wait()
        except TimeoutError:
            return False
        return True
