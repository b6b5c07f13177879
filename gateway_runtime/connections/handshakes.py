"""Turns new handshakes away from a listening socket without losing the connections that it has."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
from typing import Final

SETTLE_SECONDS: Final = 0.05
"""For so long a handshake that has begun may still end after `refuse_handshakes`."""

_SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h
_TCP_FLAGS: Final = 13
_SYN: Final = 0x02
_SYN_OR_ACK: Final = 0x12
_DROP_SYN: Final = (
    (0x30, 0, 0, _TCP_FLAGS),  # ldb [flags]
    (0x54, 0, 0, _SYN_OR_ACK),  # and
    (0x15, 0, 1, _SYN),  # jeq: a first SYN goes on to the next line, all else to the one after it
    (0x06, 0, 0, 0),  # ret: drop
    (0x06, 0, 0, 0xFFFFFFFF),  # ret: take
)
"""Classic BPF, https://docs.kernel.org/networking/filter.html; a TCP socket's filter sees the TCP header."""


def refuse_handshakes(listening: socket.socket) -> None:
    """Drop the first packet of each new connection.

    A socket that closes resets what waits in its queue, and between the last accept and the close one more
    may have come. Behind this filter none comes: a client that is turned away sends its packet again a second
    later, and finds nobody or a successor. Where the kernel takes no filter, that gap remains.
    """
    code = b"".join(struct.pack("HBBI", *line) for line in _DROP_SYN)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(buffer))
    with contextlib.suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
