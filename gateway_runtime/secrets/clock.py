"""Time, as what waits for it sees it; tests put another in its place."""

from __future__ import annotations

import asyncio
import random
from time import monotonic
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds."""

    def now(self) -> float:
        """The time."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """The time."""
        return monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def sooner(seconds: float) -> float:
    """A little less, by chance: pods that began together do not come together."""
    return seconds * random.uniform(0.8, 1.0)  # noqa: S311 - no secret
