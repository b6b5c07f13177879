"""One connection to a backend: requests out, responses in, strictly framed, reused while it is sound."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gateway_runtime.protocols.http1.chunked import ChunkedDecoder
from gateway_runtime.protocols.http1.errors import ProtocolError, invalid_response
from gateway_runtime.protocols.http1.response import (
    UNTIL_CLOSE,
    ResponseHead,
    check_begun,
    parse_response,
)

if TYPE_CHECKING:
    from gateway_runtime.connections.pool import Pool
    from gateway_runtime.connections.transaction import Transaction

_MAX_HEAD: Final = 65536

_HEAD: Final = 0
_LENGTH: Final = 1
_CHUNKED: Final = 2
_CLOSE: Final = 3
_TUNNEL: Final = 4
_CLOSED: Final = 5


class UpstreamConnection:
    """An asyncio protocol towards one backend. It serves one transaction at a time."""

    __slots__ = (
        "_buffer",
        "_decoder",
        "_keep_alive",
        "_left",
        "_paused",
        "_state",
        "answered",
        "idle_since",
        "pool",
        "reused",
        "transaction",
        "transport",
        "write_paused",
    )

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.transport: asyncio.Transport | None = None
        self.transaction: Transaction | None = None
        self.reused: bool = False
        """Whether it has served before, so that the backend may have closed it unseen."""
        self.answered: bool = False
        """Whether any byte of the current response has come."""
        self.idle_since: float = 0.0
        self._state: int = _HEAD
        self._buffer: bytes = b""
        self._decoder: ChunkedDecoder | None = None
        self._left: int = 0
        self._keep_alive: bool = True
        self._paused: bool = False
        self.write_paused: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        """The connection stands."""
        self.transport = transport
        self.pool.opened()

    def begin(self, transaction: Transaction, data: bytes) -> None:
        """Serve a transaction: its request's head, and what is there of its body."""
        self.transaction = transaction
        self.answered = False
        self._state = _HEAD
        self.write(data)

    def write(self, data: bytes) -> None:
        """Send bytes to the backend."""
        transport = self.transport
        if transport is not None:
            transport.write(data)

    def is_sound(self) -> bool:
        """Whether it may serve another request."""
        return self._state != _CLOSED

    def data_received(self, data: bytes) -> None:
        """Bytes of the response."""
        transaction = self.transaction
        if transaction is None:
            self.abort()
            return
        self.answered = True
        transaction.progress = True
        try:
            self._take(transaction, data)
        except ProtocolError as error:
            self._fail(transaction, error)

    def _take(self, transaction: Transaction, data: bytes) -> None:
        state = self._state
        if state == _HEAD:
            self._take_head(transaction, data)
        elif state == _LENGTH:
            self._take_length(transaction, data)
        elif state == _CHUNKED:
            self._take_chunks(transaction, data)
        elif state == _CLOSE:
            transaction.on_response_body(data)
        elif state == _TUNNEL:
            transaction.client.write(data)

    def _take_head(self, transaction: Transaction, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0 or end > _MAX_HEAD:
                if len(data) > _MAX_HEAD:
                    raise invalid_response(f"the response head is larger than {_MAX_HEAD} bytes")
                check_begun(data)
                self._buffer = data
                return
            head = parse_response(data[:end], transaction.is_head)
            data = data[end + 4 :]
            if head.response.status >= 200 or head.response.status == 101:
                break
            transaction.on_interim(head)
        if head.response.status == 101:
            self._switch(transaction, head, data)
        else:
            self._begin_body(transaction, head, data)

    def _begin_body(self, transaction: Transaction, head: ResponseHead, data: bytes) -> None:
        self._keep_alive = head.keep_alive
        if head.chunked:
            self._decoder = ChunkedDecoder("UPSTREAM_RESPONSE_INVALID")
            self._state = _CHUNKED
        elif head.content_length == UNTIL_CLOSE:
            self._state = _CLOSE
        else:
            self._begin_length(transaction, head, data)
            return
        transaction.on_response(head, b"", False)
        if data and self.transaction is transaction:
            self._take(transaction, data)

    def _begin_length(self, transaction: Transaction, head: ResponseHead, data: bytes) -> None:
        left = head.content_length - len(data)
        if left > 0:
            self._left = left
            self._state = _LENGTH
            transaction.on_response(head, data, False)
        else:
            if left < 0:
                data = data[: head.content_length]
                self._keep_alive = False
            self._state = _HEAD
            transaction.on_response(head, data, True)

    def _take_length(self, transaction: Transaction, data: bytes) -> None:
        left = self._left - len(data)
        if left < 0:
            data = data[: self._left]
            self._keep_alive = False
            left = 0
        self._left = left
        transaction.on_response_body(data)
        if left == 0:
            self._end(transaction, [])

    def _take_chunks(self, transaction: Transaction, data: bytes) -> None:
        decoder = self._decoder
        if decoder is None:
            return
        for piece in decoder.feed(data):
            transaction.on_response_body(piece)
        if decoder.done:
            self._decoder = None
            if decoder.rest:
                self._keep_alive = False
            self._end(transaction, decoder.trailers)

    def _end(self, transaction: Transaction, trailers: list[bytes]) -> None:
        self._state = _HEAD
        if self.transaction is transaction:
            transaction.on_response_end(trailers)

    def _switch(self, transaction: Transaction, head: ResponseHead, data: bytes) -> None:
        if head.upgrade is None or transaction.head.upgrade is None:
            raise invalid_response("the backend switched protocols unasked")
        self._state = _TUNNEL
        self.reused = True
        transaction.on_switch(head, data)

    def _fail(self, transaction: Transaction, error: ProtocolError) -> None:
        self.abort()
        transaction.on_upstream_error(error.key, error.message)

    def release(self) -> None:
        """The transaction is over: serve the next, or close."""
        self.transaction = None
        self.resume_reading()
        if self._keep_alive and self._state == _HEAD and not self._buffer and self.is_sound():
            self.reused = True
            self.pool.release(self)
        else:
            self.abort()

    def abort(self) -> None:
        """Close at once; what is under way is lost."""
        self.transaction = None
        self._state = _CLOSED
        transport = self.transport
        if transport is not None:
            transport.abort()

    def close(self) -> None:
        """Close once what was written is sent."""
        self._state = _CLOSED
        transport = self.transport
        if transport is not None:
            transport.close()

    def pause_reading(self) -> None:
        """Take no more of the response for now, since the client is slow."""
        transport = self.transport
        if not self._paused and transport is not None and not transport.is_closing():
            self._paused = True
            transport.pause_reading()

    def resume_reading(self) -> None:
        """Take the response again."""
        transport = self.transport
        if self._paused and transport is not None:
            self._paused = False
            if not transport.is_closing():
                transport.resume_reading()

    def pause_writing(self) -> None:
        """The backend is slow: take no more from the client."""
        self.write_paused = True
        if self.transaction is not None:
            self.transaction.client.pause_reading()

    def resume_writing(self) -> None:
        """The backend takes more again."""
        self.write_paused = False
        if self.transaction is not None:
            self.transaction.client.resume_reading()

    def eof_received(self) -> bool:
        """The backend sends no more: `connection_lost` follows."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone; only the first call counts."""
        if self.transport is None:
            return
        self.transport = None
        transaction = self.transaction
        until_close = self._state == _CLOSE and error is None
        self._state = _CLOSED
        self.transaction = None
        self.pool.closed(self)
        if transaction is None:
            return
        if until_close:
            transaction.on_response_end([])
        else:
            transaction.on_upstream_lost(self)
