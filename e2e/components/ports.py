"""Free TCP ports on the loopback address, for servers that must be told their port before they start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

ADDRESS = "127.0.0.1"
_FIRST = 10_000
_TRIES = 100


def free_port() -> int:
    """A free port that no outgoing connection takes, so that a server finds it free again when it comes back.

    The kernel gives outgoing connections the ports of a range of its own, `ip_local_port_range` in ip(7).
    """
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    below = max(int(ephemeral.split()[0]), _FIRST + 1000)
    for _ in range(_TRIES):
        port = random.randrange(_FIRST, below)
        if _is_free(port):
            return port
    raise RuntimeError(f"no free port from {_FIRST} to {below}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True
