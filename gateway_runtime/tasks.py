"""Ends tasks that may miss that they are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.1


async def end_tasks(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and return when all have ended; what they raise is dropped.

    They are cancelled again until they have: `asyncio.wait_for` of Python 3.11 loses a cancellation that
    comes in the same moment as what it waits for (python/cpython issue 86296), and a task that works in a
    loop would go on for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
