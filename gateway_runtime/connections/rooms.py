"""The room that the connections of a worker read into in turn, until one of them keeps what is in it."""

from __future__ import annotations

from typing import Final

try:
    from gateway_runtime.protocols.kafka._codec import room
except ImportError:
    from gateway_runtime.protocols.kafka.codec import room

ROOM: Final = 262_144
"""Bytes."""

shared: Final[list[memoryview]] = []
"""The room that the next connection reads into, where there is one."""


def next_room() -> memoryview:
    """Where to read to."""
    if not shared:
        shared.append(memoryview(room(ROOM)))
    return shared[0]
