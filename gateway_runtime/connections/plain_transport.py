"""A connected socket in the clear to a protocol: an `asyncio.Transport` by its methods, with less in between.

It reads once each time that there is something, writes at once, and keeps what the socket does not take until
it does; the protocol is told when that is more than the limit, and when it is less again.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from gateway_runtime.connections._lane import Lane

try:
    from gateway_runtime.connections._lane import Lane as _Lane
except ImportError:
    _Lane = None  # type: ignore[assignment, misc]

Piece = bytes | bytearray | memoryview

_MOST_PIECES: Final = 512
"""Pieces that are written at once; IOV_MAX is 1,024."""
_LINGER: Final = 30.0
"""Seconds that a peer has to take what was written before the end."""
_BLOCKED: Final = (BlockingIOError, InterruptedError)


class Reading(Protocol):
    """What a transport needs: an `asyncio.BufferedProtocol` that takes parts of what was read, too."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        ...

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to."""
        ...

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        ...

    def take_read(self, first: int, nbytes: int) -> None:
        """Take what was read into the shared room, behind its first bytes."""
        ...

    def is_amid_frame(self) -> bool:
        """Whether what comes next has to go where the last has gone."""
        ...

    def eof_received(self) -> bool:
        """The peer sends no more; answers whether it still takes something."""
        ...

    def pause_writing(self) -> None:
        """Too much waits to be written."""
        ...

    def resume_writing(self) -> None:
        """There is room again."""
        ...

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        ...


class PlainTransport:
    """One connection; it is the socket's owner from the start."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol: Reading) -> None:
        self._loop = loop
        self._socket = sock
        self._number = sock.fileno()
        self._protocol = protocol
        self._pending: list[Piece] = []
        self._size: int = 0
        """Bytes in `_pending`."""
        self._high: int = 65_536
        self.lane: Lane | None = None if _Lane is None else _Lane(self._number, self)
        """Reads in this one's place, and takes what it can past it; None where it is not compiled."""
        self._read: Callable[[], None] = self.read_once if self.lane is None else self.lane.readable
        self._is_reading = False
        self._is_full = False
        self._is_closing = False
        self._ends_writing = False

    def start(self) -> None:
        """Have the protocol take the connection, and read."""
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._is_reading = True
        self._protocol.connection_made(cast("asyncio.Transport", self))
        if self._is_reading and not self._is_closing:
            self._loop.add_reader(self._number, self._read)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """The peer's address as `peername`, while it is connected."""
        if name != "peername":
            return default
        try:
            return self._socket.getpeername()
        except OSError:
            return default

    # -- reading

    def read_once(self) -> None:
        """Read what there is into the protocol's buffer."""
        protocol = self._protocol
        try:
            count = self._socket.recv_into(protocol.get_buffer(-1))
        except _BLOCKED:
            return
        except OSError as error:
            self._lose(error)
            return
        if not count:
            self.take_end(0)
            return
        try:
            protocol.buffer_updated(count)
        except Exception as problem:
            self._fail(problem)

    def take_rest(self, first: int, count: int) -> bool:
        """Have the protocol take what the lane has left; answers whether it is amid a frame then."""
        try:
            self._protocol.take_read(first, count)
        except Exception as problem:
            self._fail(problem)
        return self._protocol.is_amid_frame()

    def take_end(self, number: int) -> None:
        """The peer sends no more: at its end, or by an error of the system's with this number."""
        if number:
            self._lose(OSError(number, os.strerror(number)))
        elif self._protocol.eof_received():
            self.pause_reading()
        else:
            self.close()

    def _fail(self, problem: Exception) -> None:
        context = {"message": "a protocol failed", "exception": problem, "protocol": self._protocol}
        self._loop.call_exception_handler(context)
        self._lose(problem)

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`."""
        if self._is_reading and not self._is_closing:
            self._is_reading = False
            self._loop.remove_reader(self._number)

    def resume_reading(self) -> None:
        """Read again."""
        if not self._is_reading and not self._is_closing:
            self._is_reading = True
            self._loop.add_reader(self._number, self._read)

    # -- writing

    def set_write_buffer_limits(self, high: int) -> None:
        """How many bytes may wait before the protocol is told; it is told again at a quarter of them."""
        self._high = high

    def write(self, piece: Piece) -> None:
        """Write one piece, or keep it for later."""
        if self._is_closing or self._ends_writing:
            return
        if self._pending:
            self._keep((piece,), 0)
            return
        try:
            sent = self._socket.send(piece)
        except _BLOCKED:
            sent = 0
        except OSError as error:
            self._lose(error)
            return
        if sent < len(piece):
            self._keep((piece,), sent)

    def writelines(self, pieces: Sequence[Piece]) -> None:
        """Write several pieces, or keep what is left of them for later."""
        if self._is_closing or self._ends_writing:
            return
        sent = 0 if self._pending else self._send(pieces)
        if sent >= 0:
            self._keep(pieces, sent)

    def _send(self, pieces: Sequence[Piece]) -> int:
        """How many bytes the socket has taken; negative where the connection is lost."""
        try:
            return self._socket.sendmsg(pieces[:_MOST_PIECES])
        except _BLOCKED:
            return 0
        except OSError as error:
            self._lose(error)
            return -1

    def _keep(self, pieces: Sequence[Piece], sent: int) -> None:
        """Keep what is behind the first `sent` bytes of pieces."""
        was_empty = not self._pending
        for piece in pieces:
            size = len(piece)
            if sent >= size:
                sent -= size
                continue
            self._pending.append(memoryview(piece)[sent:] if sent else piece)
            self._size += size - sent
            sent = 0
        if was_empty and self._pending:
            self._block(True)
            self._loop.add_writer(self._number, self._on_writable)
        if self._size > self._high and not self._is_full:
            self._is_full = True
            self._protocol.pause_writing()

    def _block(self, is_blocked: bool) -> None:
        """Have the lanes of others write past this one no more, or again."""
        if self.lane is not None:
            self.lane.is_clear = not is_blocked

    def _on_writable(self) -> None:
        pending = self._pending
        sent = self._send(pending)
        if sent < 0:
            return
        self._size -= sent
        whole = 0
        while sent and sent >= len(pending[whole]):
            sent -= len(pending[whole])
            whole += 1
        if sent:
            pending[whole] = memoryview(pending[whole])[sent:]
        del pending[:whole]
        if not pending:
            self._on_written()
        if self._is_full and self._size <= self._high // 4:
            self._is_full = False
            self._protocol.resume_writing()

    def _on_written(self) -> None:
        self._loop.remove_writer(self._number)
        if self._is_closing:
            self._loop.call_soon(self._finish, None)
        elif self._ends_writing:
            self._shut()
        else:
            self._block(False)

    # -- the end

    def is_closing(self) -> bool:
        """Whether it is at its end, though something may still be written."""
        return self._is_closing

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write_eof(self) -> None:
        """Tell the peer, behind what was written, that no more comes; what it sends is still read."""
        if self._is_closing or self._ends_writing:
            return
        self._ends_writing = True
        self._block(True)
        if not self._pending:
            self._shut()

    def _shut(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._lose(error)

    def close(self) -> None:
        """Read no more, and close once all is written, at the latest after half a minute."""
        if self._is_closing:
            return
        self._stop_reading()
        if self._pending:
            self._loop.call_later(_LINGER, self.abort)
        else:
            self._loop.call_soon(self._finish, None)

    def _stop_reading(self) -> None:
        self._is_closing = True
        self._block(True)
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._number)

    def abort(self) -> None:
        """Close at once; what was not written yet is lost."""
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        """Nothing more can be read or written, or is to be."""
        if self._is_closing and not self._pending:
            return
        if self._pending:
            self._loop.remove_writer(self._number)
            self._pending.clear()
            self._size = 0
        self._stop_reading()
        self._loop.call_soon(self._finish, error)

    def _finish(self, error: Exception | None) -> None:
        if self.lane is not None:
            self.lane.part()
        self._protocol.connection_lost(error)
        self._socket.close()


async def connect(loop: asyncio.AbstractEventLoop, address: tuple[str, int], protocol: Reading) -> None:
    """Connect a protocol to the first address of a host that answers. Raises OSError where none does."""
    host, port = address
    failure: OSError | None = None
    for family, kind, number, _, place in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, number)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, place)
        except OSError as error:
            failure = error
            sock.close()
        except BaseException:
            sock.close()
            raise
        else:
            PlainTransport(loop, sock, protocol).start()
            return
    raise failure or OSError(f"{host} has no address")
