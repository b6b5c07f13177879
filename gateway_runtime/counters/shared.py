"""Window counters that all workers of one process group share, exact to the use.

A table of fixed slots lies in shared memory, guarded by record locks (fcntl(2)): the kernel drops them when
their process dies, so that a killed worker blocks nobody. Times are CLOCK_MONOTONIC, one clock for the host.
A slot's count and end are written by one store of 16 bytes behind its key; a writer that dies between the
two leaves a slot that either still has its old key or counts one use less.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Callable
from hashlib import blake2b
from time import monotonic
from typing import Final

DEFAULT_SLOTS: Final = 1 << 17
_SLOT: Final = struct.Struct("=16sdq")
_STATE: Final = struct.Struct("=dq")
_KEY_BYTES: Final = 16
_PROBES: Final = 8
_STRIPES: Final = 64


class SharedCounter:
    """Counts uses in windows that each key's first use opens.

    A key may lie in one of `_PROBES` neighbouring slots. Where all of them hold open windows of other keys,
    the window that ends first gives way.
    """

    def __init__(self, descriptor: int, clock: Callable[[], float] = monotonic) -> None:
        self.descriptor = descriptor
        self._clock = clock
        self._memory = mmap.mmap(descriptor, 0)
        self._slots = len(self._memory) // _SLOT.size - _PROBES
        self._groups = max(1, self._slots // _STRIPES)

    @classmethod
    def create(cls, slots: int = DEFAULT_SLOTS) -> SharedCounter:
        """New counters; processes that inherit `descriptor` attach to them."""
        descriptor = os.memfd_create("penstock-counters", 0)
        os.ftruncate(descriptor, (slots + _PROBES) * _SLOT.size)
        return cls(descriptor)

    def hit(self, key: bytes, limit: int, period: float) -> tuple[bool, int, float]:
        """Count one use of `key`; see `gateway_runtime.policies.base.Counter.hit`."""
        digest = blake2b(key, digest_size=_KEY_BYTES).digest()
        slot = int.from_bytes(digest[:8], "little") % self._slots
        stripe = slot // self._groups
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX, 2, stripe)
        try:
            return self._count(digest, slot, limit, period)
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 2, stripe)

    def _count(self, digest: bytes, slot: int, limit: int, period: float) -> tuple[bool, int, float]:
        now = self._clock()
        at, end, count = self._find(digest, slot, now)
        if end <= now:
            if limit < 1:
                return False, 0, period
            _STATE.pack_into(self._memory, at + _KEY_BYTES, 0.0, 0)
            self._memory[at : at + _KEY_BYTES] = digest
            _STATE.pack_into(self._memory, at + _KEY_BYTES, now + period, 1)
            return True, limit - 1, period
        if count >= limit:
            return False, 0, end - now
        _STATE.pack_into(self._memory, at + _KEY_BYTES, end, count + 1)
        return True, limit - count - 1, end - now

    def _find(self, digest: bytes, slot: int, now: float) -> tuple[int, float, int]:
        """Where the key is or goes: offset, end of its window (0 for a new one) and its count."""
        first = slot * _SLOT.size
        victim, victim_end = first, float("inf")
        for offset in range(first, first + _PROBES * _SLOT.size, _SLOT.size):
            key, end, count = _SLOT.unpack_from(self._memory, offset)
            if key == digest and end > now:
                return offset, end, count
            if end < victim_end:
                victim, victim_end = offset, end
        return victim, 0.0, 0
