"""A condition that others bring about -> a wait that ends when it holds, or says what did not come."""

from __future__ import annotations

import time
from collections.abc import Callable

_POLL = 0.05


def wait_until(
    what: str, ready: Callable[[], bool], check: Callable[[], None] = lambda: None, *, seconds: float = 60.0
) -> None:
    """Returns when `ready()`; `check` raises where waiting on is of no use; RuntimeError after the time."""
    deadline = time.monotonic() + seconds
    while not ready():
        check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not ready after {seconds:.0f} s")
        time.sleep(_POLL)
