"""Window counters of one worker: a bounded dictionary."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

MAX_ENTRIES: Final = 65_536
_SWEEP_SHARE: Final = 16
_SLACK: Final = 1.0


class LocalCounter:
    """Counts uses in windows that each key's first use opens.

    At `max_entries` keys, all ended windows are dropped; where fewer than a sixteenth have ended, those that
    end first go too, so that memory stays bounded, long windows outlive short ones, and a sweep (a few
    milliseconds) is paid for by thousands of new keys.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES, clock: Callable[[], float] = monotonic) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._windows: dict[bytes, list[float]] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def hit(self, key: bytes, limit: int, period: float) -> tuple[bool, int, float]:
        """Count one use of `key`; see `gateway_runtime.policies.base.Counter.hit`."""
        now = self._clock()
        window = self._windows.get(key)
        left = 0.0 if window is None else window[0] - now
        # A window longer than its period (and rounding) is of an earlier configuration.
        if window is None or left <= 0.0 or left > period + _SLACK:
            if limit < 1:
                return False, 0, period
            self._open(key, now + period, now)
            return True, limit - 1, period
        if window[1] >= limit:
            return False, 0, left
        window[1] += 1.0
        return True, limit - int(window[1]), left

    def _open(self, key: bytes, end: float, now: float) -> None:
        if len(self._windows) >= self._max_entries and key not in self._windows:
            self._make_room(now)
        self._windows[key] = [end, 1.0]

    def _make_room(self, now: float) -> None:
        wanted = max(1, self._max_entries // _SWEEP_SHARE)
        last = sorted([window[0] for window in self._windows.values()])[wanted - 1]
        doomed = [key for key, window in self._windows.items() if window[0] <= max(now, last)]
        for key in doomed if last <= now else doomed[:wanted]:
            del self._windows[key]
