"""Writes to the API server: several at once, each object's failures backed off by themselves.

Nothing waits for an object that fails: it is left out until its pause is over, and what it should be then is
found anew by the next round.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from gateway_runtime.cluster.client import ClusterError

_LOG: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 16
_FIRST_PAUSE: Final = 0.5
_MAX_PAUSE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Write:
    """One call; `name` is what it is about."""

    name: str
    call: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Failure:
    count: int
    again_at: float


class Writer:
    """Remembers which objects failed; `clock` tells monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, _Failure] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def run(self, writes: Iterable[Write]) -> None:
        """Make all calls whose object is not paused."""
        now = self._clock()
        due = [write for write in writes if self._is_due(write.name, now)]
        await asyncio.gather(*(self._one(write) for write in due))

    def is_paused(self, name: str) -> bool:
        """Whether an object has failed and its pause is not over."""
        return not self._is_due(name, self._clock())

    @property
    def next_attempt(self) -> float | None:
        """When the next pause ends."""
        now = self._clock()
        return min((one.again_at for one in self._failures.values() if one.again_at > now), default=None)

    @property
    def failing(self) -> int:
        """How many objects could not be written."""
        return len(self._failures)

    def _is_due(self, name: str, now: float) -> bool:
        failure = self._failures.get(name)
        return failure is None or failure.again_at <= now

    async def _one(self, write: Write) -> None:
        async with self._places:
            try:
                await write.call()
            except ClusterError as error:
                self._failed(write.name, error)
            else:
                self._failures.pop(write.name, None)

    def _failed(self, name: str, error: ClusterError) -> None:
        before = self._failures.get(name)
        count = before.count if before else 0
        pause = min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** min(count, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
        self._failures[name] = _Failure(count + 1, self._clock() + pause)
        level = logging.WARNING if count in (0, 5) or count % 20 == 0 else logging.DEBUG
        _LOG.log(level, "%s cannot be written, again in %.1f s: %s", name, pause, error)
