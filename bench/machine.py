"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.peers.base import Peer


def machine() -> dict[str, Any]:
    """CPU, cores, kernel and memory."""
    return {
        "cpu": _line("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "memory": _line("/proc/meminfo", "MemTotal"),
    }


def versions(peers: list[Peer]) -> dict[str, str]:
    """Versions of the peers and of what Penstock runs on."""
    found = {peer.name: peer.version() for peer in peers}
    return found | {"python": platform.python_version(), "uvloop": version("uvloop")}


def _line(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")
