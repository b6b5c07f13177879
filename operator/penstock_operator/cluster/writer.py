"""Writes to the API server: several at once, each object's failures backed off by themselves.

Nothing waits for an object that fails: it is left out until its pause is over, and what it should be then is
found anew by the next round. A failure is forgotten once nothing is to be written of the object any more.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from gateway_runtime.cluster.client import ClusterError

_LOG: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 16
_FIRST_PAUSE: Final = 0.5
_MAX_PAUSE: Final = 60.0


class NameTakenError(ClusterError):
    """An object has the name that one of a gateway must have, and is not the operator's."""

    def __init__(self, what: object) -> None:
        super().__init__(HTTPStatus.CONFLICT, f"{what} is there and not the operator's: it is not touched")


@dataclass(frozen=True, slots=True)
class Write:
    """One call; `name` is what it is about, `gateway` (`namespace/name`) whom it is for, if a gateway."""

    name: str
    call: Callable[[], Awaitable[None]]
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class _Failure:
    count: int
    again_at: float
    gateway: str
    taken: str
    """What is wrong, where a name is taken."""


class Writer:
    """Remembers which objects failed; `clock` tells monotonic seconds, `count` is told of each failure."""

    def __init__(self, clock: Callable[[], float], count: Callable[[str], None]) -> None:
        self._clock = clock
        self._count = count
        self._failures: dict[str, _Failure] = {}
        self._asked: set[str] = set()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def run(self, writes: Iterable[Write]) -> None:
        """Make all calls whose object is not paused."""
        now, given = self._clock(), list(writes)
        self._asked.update(write.name for write in given)
        due = [write for write in given if self._is_due(write.name, now)]
        await asyncio.gather(*(self._one(write) for write in due))

    def is_paused(self, name: str) -> bool:
        """Whether an object has failed and its pause is not over."""
        return not self._is_due(name, self._clock())

    def end_round(self) -> None:
        """Forget the failures of what nobody has wanted to write again when its pause was over."""
        self._failures = {
            name: one
            for name, one in self._failures.items()
            if name in self._asked or one.again_at > self._clock()
        }
        self._asked.clear()

    @property
    def taken(self) -> Mapping[str, tuple[str, ...]]:
        """Which names of objects are taken, told for each gateway."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for failure in self._failures.values():
            if failure.taken:
                found[failure.gateway].append(failure.taken)
        return {gateway: tuple(sorted(taken)) for gateway, taken in found.items()}

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
                self._failed(write, error)
            else:
                self._failures.pop(write.name, None)

    def _failed(self, write: Write, error: ClusterError) -> None:
        name, taken = write.name, str(error) if isinstance(error, NameTakenError) else ""
        before = self._failures.get(name)
        count = before.count if before else 0
        pause = min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** min(count, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
        self._failures[name] = _Failure(count + 1, self._clock() + pause, write.gateway, taken)
        self._count(type(error).__name__)
        level = logging.WARNING if count in (0, 5) or count % 20 == 0 else logging.DEBUG
        _LOG.log(level, "%s cannot be written, again in %.1f s: %s", name, pause, error)
