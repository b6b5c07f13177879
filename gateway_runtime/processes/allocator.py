"""Tells the C library's allocator to keep what bodies pass through: large pieces, many a second.

By default glibc maps each of them anew and gives the pages back, so that most of the time goes into page
faults (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD).
"""

from __future__ import annotations

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEPT: Final = 4 << 20
"""Bytes of free memory that a worker may keep at most."""
_LARGE: Final = 1 << 20
"""Bytes from which on an allocation is mapped by itself."""


def keep_buffers() -> None:
    """Set it for this process; another C library than glibc is left as it is."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Give free memory back, after work that took much more than what is left of it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
