"""The access log: one JSON line for each request, buffered, never in the way of the traffic."""

from __future__ import annotations

import os
from typing import Final

import msgspec

FLUSH_BYTES: Final = 32768
MAX_BUFFERED: Final = 1 << 20


class AccessRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the log says of a request. `time` in seconds since the epoch; an empty field is left out."""

    time: float
    method: str
    host: str
    path: str
    status: int
    duration_ms: float
    bytes_in: int
    bytes_out: int
    client: str
    api: str = ""
    plan: str = ""
    application: str = ""
    subscription: str = ""
    endpoint: str = ""
    error: str = ""
    request_id: str = ""


class AccessLog:
    """Writes whole lines to a descriptor.

    Up to `MAX_BUFFERED` bytes wait for a slow reader; beyond that, lines are dropped and counted.
    """

    def __init__(self, descriptor: int) -> None:
        self.dropped: int = 0
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._size: int = 0
        self._rest: bytes = b""
        self._encode = msgspec.json.Encoder().encode
        os.set_blocking(descriptor, False)

    def write(self, record: AccessRecord) -> None:
        """Take one line."""
        line = self._encode(record) + b"\n"
        if self._size + len(line) > MAX_BUFFERED:
            self.flush()
            if self._size + len(line) > MAX_BUFFERED:
                self.dropped += 1
                return
        self._lines.append(line)
        self._size += len(line)
        if self._size >= FLUSH_BYTES and not self._rest:
            self.flush()

    def flush(self) -> None:
        """Write what is there, as far as the reader takes it."""
        if not self._size:
            return
        data = self._rest + b"".join(self._lines)
        self._lines.clear()
        try:
            written = os.write(self._descriptor, data)
        except BlockingIOError:
            written = 0
        except OSError:
            self.dropped += data.count(b"\n")
            written = len(data)
        self._rest = data[written:]
        self._size = len(self._rest)
