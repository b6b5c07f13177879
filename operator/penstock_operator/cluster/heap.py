"""What the collector of cycles looks at: not at all that the operator knows, again at every edit.

An API of some hundred objects stays until it is edited; a full collection with thousands of them takes
hundreds of milliseconds, in the middle of a user's edit. So they are set aside as the operator learns of them
(https://docs.python.org/3/library/gc.html#gc.freeze); references still free what goes.
"""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 100)
_GROWTH: Final = 1.3
_LEAST: Final = 500


class Heap:
    """Sets aside what is known, each time it has grown by a third."""

    def __init__(self) -> None:
        self._known = 0
        gc.set_threshold(*_THRESHOLDS)

    def settle(self, known: int) -> None:
        """After a round, with the number of resources known."""
        if known < max(_LEAST, self._known * _GROWTH):
            return
        self._known = known
        gc.collect()
        gc.freeze()
