"""Bytes of a socket to Kafka frames: what is long stays where it was read to, what is short is copied.

Connections read in turn, so that all of a worker read into one room, until one of them keeps what is in it:
a frame that is not whole yet, or long ones that are on their way.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from gateway_runtime.connections.rooms import ROOM, next_room, shared
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.frames import LENGTH, PREFIX, Frame

if TYPE_CHECKING:
    from gateway_runtime.connections._lane import Lane
    from gateway_runtime.kafka._relay import Relay

try:
    from gateway_runtime.protocols.kafka._codec import room
except ImportError:
    from gateway_runtime.protocols.kafka.codec import room

_COPIED: Final = 32_768
"""Bytes: a frame that is no longer is copied, since one that waits to be sent keeps all of its room."""
_SMALLEST: Final = 8
_HIGH_WATER: Final = 1 << 20


class FrameProtocol:
    """One end of a connection. A frame longer than `frame_limit` ends it.

    An `asyncio.BufferedProtocol` by its methods: compiled classes cannot inherit from asyncio's. What comes
    of one read is sent to the `peer` at once.
    """

    def __init__(self, frame_limit: int) -> None:
        self.transport: asyncio.Transport | None = None
        self.frame_limit = frame_limit
        self.is_client = False
        """Whether what comes in are requests."""
        self.peer: FrameProtocol | None = None
        self._room: memoryview | None = None
        self._first: int = 0
        self._filled: int = 0
        self._is_paused = False
        self._is_corked = False
        self._corked: list[Frame] = []

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
        """Where to read to."""
        own = self._room
        return next_room() if own is None else own[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self.take_read(0, nbytes)

    def is_amid_frame(self) -> bool:
        """Whether a frame has begun that is not whole yet."""
        return self._room is not None

    def take_read(self, first: int, nbytes: int) -> None:
        """Take what was read, behind the first bytes of the room where it is the shared one."""
        peer = self.peer
        if peer is not None:
            peer.cork()
        try:
            self._consume(first, nbytes)
        except KafkaFormatError as error:
            self._room = None
            self.broken(str(error))
        finally:
            if peer is not None:
                peer.uncork()

    def _consume(self, first: int, nbytes: int) -> None:
        own = self._room
        if own is None:
            own = next_room()
            shared.clear()  # what is done with the frames may have another connection read
            self._first = self._filled = first
        self._room = None
        self._filled += nbytes
        is_kept = self._split(own)
        if self._first < self._filled:
            self._room = self._rest(own)
        elif not is_kept and not shared and len(own) == ROOM:
            shared.append(own)

    def _split(self, data: memoryview) -> bool:
        """Hand on the frames that are whole; answers whether one of them keeps the room."""
        is_kept = False
        while self._filled - self._first >= PREFIX:
            at = self._first
            size = self._size(data, at)
            if size > self._filled - at:
                break
            self._first = at + size
            frame = data[at : at + size]
            if size <= _COPIED:
                self.frame_received(bytes(frame))
            else:
                is_kept = True
                self.frame_received(frame)
        return is_kept

    def _size(self, data: memoryview, at: int) -> int:
        size: int = PREFIX + LENGTH.unpack_from(data, at)[0]
        if not _SMALLEST <= size <= self.frame_limit:
            raise KafkaFormatError(f"a frame of {size} bytes, where {self.frame_limit} are allowed")
        return size

    def _rest(self, data: memoryview) -> memoryview:
        """Where the frame that has begun goes on: where it is, if it fits in there, else where it does."""
        begin, end = self._first, self._filled
        size = self._size(data, begin) if end - begin >= PREFIX else PREFIX
        if begin + size <= len(data):
            return data
        moved = memoryview(room(max(size, ROOM)))
        moved[: end - begin] = data[begin:end]
        self._first, self._filled = 0, end - begin
        return moved

    def pass_to(self, peer: FrameProtocol, relay: Relay) -> None:
        """Have what a relay passes go to a peer on the short way, where this connection has one."""
        lane: Lane | None = getattr(self.transport, "lane", None)
        if lane is not None:
            lane.join(relay, self, peer.transport)

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

    def cork(self) -> None:
        """Gather what is sent from now on."""
        self._is_corked = True

    def uncork(self) -> None:
        """Send what was gathered."""
        self._is_corked = False
        if self._corked:
            gathered, self._corked = self._corked, []
            self.send(gathered)

    def send(self, pieces: Sequence[Frame]) -> None:
        """Write a frame in its pieces."""
        if self._is_corked:
            self._corked.extend(pieces)
        elif self.transport is not None and not self.transport.is_closing():
            if len(pieces) == 1:
                self.transport.write(pieces[0])
            else:
                self.transport.writelines(pieces)
