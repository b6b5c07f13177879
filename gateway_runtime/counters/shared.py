"""Window counters that all workers of one process group share, exact to the use.

A table of fixed slots lies in shared memory, guarded by record locks (fcntl(2)): the kernel drops them when
their process dies, so that a killed worker blocks nobody. They belong to a process, not to a thread: one
process uses a table from one thread only. Times are CLOCK_MONOTONIC, one clock for the host.

A slot is four aligned words (two of the key's digest, the window's end, the count), each written by one
store. A new key's slot is freed first and given its end last, so that a writer that dies anywhere leaves
a slot that is free, the old one, or the new one: never a count under another key.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Callable
from hashlib import blake2b
from time import monotonic
from typing import Final

DEFAULT_SLOTS: Final = 1 << 17
"""Four MiB. Of 40,000 open windows about 4 have given way to others, of 60,000 150, of 100,000 4,100."""

_WORD: Final = 8
_WORDS: Final = 4
_SALT_BYTES: Final = 16
_HEADER_WORDS: Final = 4
_PROBES: Final = 8
_STRIPES: Final = 64
_SLACK: Final = 1.0


class SharedCounter:
    """Counts uses in windows that each key's first use opens.

    A key may lie in one of eight neighbouring slots. Where all of them hold open windows of other keys, the
    window that ends first gives way: memory stays bounded, and long windows outlive short ones. Slots
    follow from a salted hash, so that clients who choose their keys cannot aim at a slot.
    """

    def __init__(self, descriptor: int, clock: Callable[[], float] = monotonic) -> None:
        self.descriptor = descriptor
        self._clock = clock
        memory = memoryview(mmap.mmap(descriptor, 0))
        self._salt = bytes(memory[:_SALT_BYTES])
        slots = memory[_HEADER_WORDS * _WORD :]
        self._words = slots.cast("Q")
        self._ends = slots.cast("d")
        self._slots = len(self._words) // _WORDS - _PROBES
        # The slots of one key reach into the next stripe at most; both are locked.
        self._stripe = max(_PROBES, -(-self._slots // _STRIPES))

    @classmethod
    def create(cls, slots: int = DEFAULT_SLOTS) -> SharedCounter:
        """New counters; who inherits `descriptor` attaches by `SharedCounter(descriptor)`."""
        descriptor = os.memfd_create("penstock-counters", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, (_HEADER_WORDS + (slots + _PROBES) * _WORDS) * _WORD)
        # A table that shrinks would kill who reads it (SIGBUS).
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        os.pwrite(descriptor, os.urandom(_SALT_BYTES), 0)
        return cls(descriptor)

    def hit(self, key: bytes, limit: int, period: float) -> tuple[bool, int, float]:
        """Count one use of `key`; see `gateway_runtime.policies.base.Counter.hit`."""
        digest = blake2b(key, digest_size=16, salt=self._salt).digest()
        high = int.from_bytes(digest[:8], "little")
        low = int.from_bytes(digest[8:], "little")
        slot = high % self._slots
        stripe = slot // self._stripe
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX, 2, stripe)
        try:
            return self._count(slot * _WORDS, high, low, (limit, period))
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 2, stripe)

    def _count(self, first: int, high: int, low: int, bound: tuple[int, float]) -> tuple[bool, int, float]:
        limit, period = bound
        now = self._clock()
        at = self._find(first, high, low)
        left = self._ends[at + 2] - now if at >= 0 else 0.0
        # A window longer than its period (and rounding) is of an earlier configuration.
        if left <= 0.0 or left > period + _SLACK:
            if limit < 1:
                return False, 0, period
            self._open(at if at >= 0 else self._victim(first), high, low, now + period)
            return True, limit - 1, period
        count = self._words[at + 3]
        if count >= limit:
            return False, 0, left
        self._words[at + 3] = count + 1
        return True, limit - count - 1, left

    def _find(self, first: int, high: int, low: int) -> int:
        """Where the key's slot is, in words; -1 for none."""
        words = self._words
        for at in range(first, first + _PROBES * _WORDS, _WORDS):
            if words[at] == high and words[at + 1] == low:
                return at
        return -1

    def _victim(self, first: int) -> int:
        """The slot for a new key: that whose window ends first, which is a free or ended one if any is."""
        ends = self._ends
        return min(range(first, first + _PROBES * _WORDS, _WORDS), key=lambda at: ends[at + 2])

    def _open(self, at: int, high: int, low: int, end: float) -> None:
        self._ends[at + 2] = 0.0
        self._words[at] = high
        self._words[at + 1] = low
        self._words[at + 3] = 1
        self._ends[at + 2] = end
