"""Keeps a process's memory to itself: no core dumps, no debuggers but root's, no swap where it is allowed.

Root reads the memory of any process in any case.
"""

from __future__ import annotations

import ctypes
import logging
import resource
from pathlib import Path
from typing import Final

_LOG: Final = logging.getLogger(__name__)
_PR_SET_DUMPABLE: Final = 4
_MCL_CURRENT: Final = 1
_MCL_FUTURE: Final = 2
_MCL_ONFAULT: Final = 4
"""Lock pages as they come to be used: what is mapped but never touched costs nothing (mlockall(2))."""
_CAP_IPC_LOCK: Final = 14


def seal_memory() -> bool:
    """Seal this process; answers whether it is kept out of swap too. Each new program begins open."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        _LOG.warning("the memory of this process can be dumped: prctl fails with %d", ctypes.get_errno())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return _may_lock() and not libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)


def tell_of_memory(locked: bool) -> None:
    """Log what could not be had, once for all processes of a gateway."""
    if not locked:
        _LOG.info("memory may be swapped: locking it needs CAP_IPC_LOCK or no limit on locked memory")


def _may_lock() -> bool:
    """Whether memory can be locked without a limit: below one, a later allocation would fail."""
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
        return True
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_IPC_LOCK & 1)
