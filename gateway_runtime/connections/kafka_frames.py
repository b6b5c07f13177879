"""Bytes of a socket to Kafka frames: a long one is read to where it stays, a short one is copied."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Final, cast

from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.frames import LENGTH, PREFIX, Frame

try:
    from gateway_runtime.protocols.kafka._codec import room
except ImportError:
    from gateway_runtime.protocols.kafka.codec import room

_SCRATCH: Final = bytearray(16384)
"""What all connections of a worker read into: each takes what came before another one reads."""
_WINDOW: Final = memoryview(_SCRATCH)
_SMALLEST: Final = 8
_HIGH_WATER: Final = 1 << 20


class FrameProtocol:
    """One end of a connection. A frame longer than `frame_limit` ends it.

    An `asyncio.BufferedProtocol` by its methods: compiled classes cannot inherit from asyncio's.
    """

    def __init__(self, frame_limit: int) -> None:
        self.transport: asyncio.Transport | None = None
        self.frame_limit = frame_limit
        self._head = b""
        self._frame: bytearray | memoryview | None = None
        self._rest: memoryview | None = None
        self._is_paused = False

    # -- what comes in

    @abstractmethod
    def frame_received(self, frame: Frame) -> None:
        """Take a whole frame with its length; raises KafkaFormatError where nothing more can be done."""

    @abstractmethod
    def broken(self, reason: str) -> None:
        """The peer has sent what is no frame, or no message: the connection is to end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are none of asyncio's
        self.transport.set_write_buffer_limits(high=_HIGH_WATER)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to: the rest of a long frame, else what all share."""
        if self._rest is not None:
            return self._rest
        head = len(self._head)
        if head:
            _SCRATCH[:head] = self._head
        return _WINDOW[head:]

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        try:
            if self._rest is not None:
                self._fill(self._rest, nbytes)
            else:
                data = bytes(_WINDOW[: len(self._head) + nbytes])
                self._head = b""
                self._split(data)
        except KafkaFormatError as error:
            self._rest = self._frame = None
            self.broken(str(error))

    def _fill(self, rest: memoryview, nbytes: int) -> None:
        if nbytes < len(rest):
            self._rest = rest[nbytes:]
            return
        frame, self._frame, self._rest = self._frame, None, None
        assert frame is not None
        self.frame_received(frame)

    def _split(self, data: bytes) -> None:
        """Cut what was read into frames; the beginning of one more is kept."""
        at, count = 0, len(data)
        while count - at >= PREFIX:
            size = PREFIX + LENGTH.unpack_from(data, at)[0]
            if not _SMALLEST <= size <= self.frame_limit:
                raise KafkaFormatError(f"a frame of {size} bytes, where {self.frame_limit} are allowed")
            if size > count - at:
                self._frame = room(size)
                self._frame[: count - at] = data[at:]
                self._rest = memoryview(self._frame)[count - at :]
                return
            self.frame_received(data if size == count else data[at : at + size])
            at += size
        self._head = data[at:]

    # -- flow

    def eof_received(self) -> bool:
        """A peer that sends no more gets no more either."""
        return False

    def hold(self, is_held: bool) -> None:
        """Read no more, or again."""
        if is_held == self._is_paused or self.transport is None or self.transport.is_closing():
            return
        self._is_paused = is_held
        if is_held:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def send(self, pieces: Sequence[Frame]) -> None:
        """Write a frame in its pieces."""
        if self.transport is None or self.transport.is_closing():
            return
        if len(pieces) == 1:
            self.transport.write(pieces[0])
        else:
            self.transport.writelines(pieces)
