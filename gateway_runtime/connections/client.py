"""One client connection: bytes to requests, one transaction at a time, pipelined ones in order.

Time limits are deadlines that the gateway's sweep looks at a few times a second: nothing is scheduled for a
single request.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Final

from gateway_runtime.connections.forwarded import ClientIdentity
from gateway_runtime.connections.steps import ENDED
from gateway_runtime.connections.transaction import Transaction
from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Reply
from gateway_runtime.protocols.http1.chunked import ChunkedDecoder
from gateway_runtime.protocols.http1.errors import ProtocolError, malformed
from gateway_runtime.protocols.http1.request import RequestHead, parse_request

if TYPE_CHECKING:
    from gateway_runtime.connections.gateway import Gateway
    from gateway_runtime.connections.upstream import UpstreamConnection

_MAX_AHEAD: Final = 65536
_LINGER_SECONDS: Final = 2.0
_LINGER_BYTES: Final = 1048576
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: what is unsent is dropped, and the peer gets a reset."""

HEAD: Final = 0
BODY: Final = 1
WAIT: Final = 2
LINGER: Final = 3
TUNNEL: Final = 4
CLOSED: Final = 5


class ClientConnection:
    """An asyncio protocol towards one client."""

    __slots__ = (
        "_busy",
        "_decoder",
        "_head_begun",
        "_left",
        "_lingered",
        "_unsent",
        "buffer",
        "deadline",
        "gateway",
        "half_closed",
        "identity",
        "read_paused",
        "state",
        "transaction",
        "transport",
        "tunnel",
        "write_paused",
    )

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.transport: asyncio.Transport | None = None
        self.identity: ClientIdentity | None = None
        self.transaction: Transaction | None = None
        self.tunnel: UpstreamConnection | None = None
        self.state: int = HEAD
        self.buffer: bytes = b""
        self.deadline: float = 0.0
        """When the sweep calls `on_deadline`, in the loop's time; 0 for never."""
        self.half_closed: bool = False
        self.write_paused: bool = False
        self.read_paused: bool = False
        self._busy: bool = False
        self._head_begun: bool = False
        self._decoder: ChunkedDecoder | None = None
        self._left: int = 0
        self._lingered: int = 0
        self._unsent: int = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A client has connected."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else "127.0.0.1"
        if not self.gateway.admit(self):
            self.state = CLOSED
            transport.abort()
            return
        self.identity = ClientIdentity(address, address in self.gateway.trusted)
        self.deadline = self.gateway.clock + self.gateway.timeouts.idle

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        state = self.state
        if state == HEAD:
            self._heads(self.buffer + data if self.buffer else data)
        elif state == BODY:
            self._body(data)
        elif state == WAIT:
            self._ahead(data)
        elif state == TUNNEL:
            if self.tunnel is not None:
                self.tunnel.write(data)
        elif state == LINGER:
            self._lingered += len(data)
            if self._lingered > _LINGER_BYTES:
                self.close()

    def _heads(self, data: bytes) -> None:
        """Serve the requests that `data` starts with, until one has to wait."""
        self.buffer = b""
        self._busy = True
        try:
            while data and self.transaction is None and self.state == HEAD:
                if self.write_paused:
                    self._ahead(data)
                    break
                data = self._one(data)
        except ProtocolError as error:
            self.refuse(error)
        finally:
            self._busy = False

    def _one(self, data: bytes) -> bytes:
        """Serve one request; answers the bytes behind it."""
        end = data.find(b"\r\n\r\n")
        limits = self.gateway.limits
        if end < 0 or end > limits.request_line + limits.header_bytes:
            self._incomplete(data)
            return b""
        start = 2 if data.startswith(b"\r\n") else 0
        if end == 0:
            raise malformed("more than one empty line comes before the request line")
        head = parse_request(data[start:end], limits.request_line, limits.header_count)
        if end > limits.header_bytes:
            raise self._too_large()
        rest = data[end + 4 :] if len(data) > end + 4 else b""
        self._head_begun = False
        transaction = self.transaction = Transaction(self, head)
        if head.chunked or head.content_length:
            rest = self._begin_body(transaction, head, rest)
        else:
            self.state = WAIT
        self.deadline = 0.0 if transaction.request_done else self.gateway.clock + self.gateway.timeouts.body
        transaction.start()
        if transaction.phase == ENDED:
            return self._taken(rest)
        if rest:
            self._ahead(rest)
        return b""

    def _taken(self, rest: bytes) -> bytes:
        """All that waits to be served, once a transaction has ended at once."""
        rest = self.buffer + rest
        self.buffer = b""
        return rest

    def _incomplete(self, data: bytes) -> None:
        limits = self.gateway.limits
        line_end = data.find(b"\r\n", 2)
        if (line_end if line_end >= 0 else len(data)) > limits.request_line + 2:
            raise ProtocolError(
                "REQUEST_LINE_TOO_LONG", f"the request line is longer than {limits.request_line} bytes"
            )
        if len(data) > limits.header_bytes:
            raise self._too_large()
        if data.count(b"\n") != data.count(b"\r\n"):
            raise malformed("the request head has a line that CRLF does not end")
        if b"\0" in data:
            raise malformed("the request head holds a NUL")
        if self.half_closed:
            self.close()
        elif not self._head_begun:
            self._head_begun = True
            self.deadline = self.gateway.clock + self.gateway.timeouts.header
        self.buffer = data

    def _too_large(self) -> ProtocolError:
        limit = self.gateway.limits.header_bytes
        return ProtocolError("REQUEST_HEADERS_TOO_LARGE", f"the request head is larger than {limit} bytes")

    def _begin_body(self, transaction: Transaction, head: RequestHead, rest: bytes) -> bytes:
        self.state = BODY
        self._left = head.content_length
        self._decoder = ChunkedDecoder("REQUEST_MALFORMED") if head.chunked else None
        transaction.request_done = False
        try:
            limit = self.gateway.limits.body
            if limit is not None and head.content_length > limit:
                raise _body_too_large(limit)
            return self._feed(transaction, rest) if rest else b""
        except ProtocolError as error:
            transaction.refusal = error
            return b""

    def _body(self, data: bytes) -> None:
        transaction = self.transaction
        if transaction is None:
            return
        transaction.progress = True
        try:
            rest = self._feed(transaction, data)
        except ProtocolError as error:
            transaction.on_request_error(error)
            return
        if rest:
            self._ahead(rest)

    def _feed(self, transaction: Transaction, data: bytes) -> bytes:
        """Give a transaction its body; answers the bytes behind it."""
        decoder = self._decoder
        if decoder is not None:
            return self._feed_chunks(transaction, decoder, data)
        left = self._left - len(data)
        rest = b""
        if left < 0:
            rest = data[self._left :]
            data = data[: self._left]
            left = 0
        self._left = left
        if left == 0:
            self.state = WAIT
        transaction.on_request_body(data)
        if left == 0:
            transaction.on_request_end([])
        return rest

    def _feed_chunks(self, transaction: Transaction, decoder: ChunkedDecoder, data: bytes) -> bytes:
        pieces = decoder.feed(data)
        limit = self.gateway.limits.body
        for piece in pieces:
            if limit is not None and transaction.request_bytes + len(piece) > limit:
                raise _body_too_large(limit)
            transaction.on_request_body(piece)
        if not decoder.done:
            return b""
        self._decoder = None
        self.state = WAIT
        transaction.on_request_end(decoder.trailers)
        return decoder.rest

    def _ahead(self, data: bytes) -> None:
        """Keep what a client sends before its last response is out; at the limit, stop reading."""
        self.buffer = self.buffer + data if self.buffer else data
        if len(self.buffer) > _MAX_AHEAD:
            self.pause_reading()

    def write(self, data: bytes) -> None:
        """Send bytes to the client."""
        transport = self.transport
        if transport is not None:
            transport.write(data)

    def transaction_done(self, keep_alive: bool) -> None:
        """The response is out: serve what came meanwhile, wait for the next request, or close."""
        self.transaction = None
        if self.state == CLOSED:
            return
        if not keep_alive:
            self._end()
            return
        self.state = HEAD
        self.deadline = self.gateway.clock + self.gateway.timeouts.idle
        self.resume_reading()
        if self.buffer and not self._busy:
            self._heads(self._taken(b""))
        elif self.is_ending():
            self.close()

    def is_ending(self) -> bool:
        """Whether no request can follow the one under way."""
        return self.half_closed and not self.buffer

    def _end(self) -> None:
        """Close; where the client may still send, let it read the response first (RFC 9112 section 9.6)."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if self.state == WAIT and not self.buffer and not self.half_closed:
            self.close()
            return
        self.buffer = b""
        self.state = LINGER
        self.deadline = self.gateway.clock + _LINGER_SECONDS
        self.resume_reading()
        if self.half_closed or not transport.can_write_eof():
            transport.close()
        else:
            transport.write_eof()

    def refuse(self, error: ProtocolError) -> None:
        """Answer bytes that are no proper request, and close, since the framing is in doubt."""
        self.gateway.refuse(self, error_reply(error.key, error.message))
        self._end_refused()

    def _end_refused(self) -> None:
        self.transaction = None
        self.state = BODY
        self._end()

    def refuse_with(self, reply: Reply) -> None:
        """Answer with an error of the gateway's own and close."""
        self.gateway.refuse(self, reply)
        self._end_refused()

    def on_deadline(self) -> None:
        """The deadline has passed."""
        self.deadline = 0.0
        if self.transaction is not None:
            self.transaction.on_deadline()
        elif self.state == CLOSED:
            self._abort_unread()
        elif self.state == HEAD and self.buffer and not self.write_paused:
            self.refuse_with(error_reply("REQUEST_TIMEOUT"))
        else:
            self.close()

    def _abort_unread(self) -> None:
        """Wait no longer for a client that has stopped to read what was written."""
        transport = self.transport
        unsent = 0 if transport is None else transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent = unsent
            self.deadline = self.gateway.clock + self.gateway.timeouts.body
        else:
            self.abort()

    def switch(self, upstream: UpstreamConnection) -> None:
        """From now on bytes pass both ways as they are."""
        self.transaction = None
        self.tunnel = upstream
        self.state = TUNNEL
        self.deadline = 0.0
        if self.buffer:
            upstream.write(self._taken(b""))
        if not upstream.write_paused:
            self.resume_reading()

    def on_tunnel_end(self) -> None:
        """The backend has closed its end of the tunnel."""
        if self.tunnel is not None:
            self.tunnel = None
            self.close()

    def pause_body(self) -> None:
        """Take no more of a body that cannot be passed on yet."""
        if self.state == BODY:
            self.pause_reading()

    def pause_reading(self) -> None:
        """Take no more from the client for now."""
        transport = self.transport
        if not self.read_paused and transport is not None and not transport.is_closing():
            self.read_paused = True
            transport.pause_reading()

    def resume_reading(self) -> None:
        """Take from the client again."""
        transport = self.transport
        if self.read_paused and transport is not None:
            self.read_paused = False
            if not transport.is_closing():
                transport.resume_reading()

    def pause_writing(self) -> None:
        """The client is slow: take no more from the backend."""
        self.write_paused = True
        if self.tunnel is not None:
            self.tunnel.pause_reading()
        elif self.transaction is not None:
            self.transaction.on_client_full()

    def resume_writing(self) -> None:
        """The client takes more again."""
        self.write_paused = False
        if self.tunnel is not None:
            self.tunnel.resume_reading()
        elif self.transaction is not None:
            self.transaction.on_client_ready()
        elif self.buffer and self.state == HEAD and not self._busy:
            self.resume_reading()
            self._heads(self._taken(b""))

    def eof_received(self) -> bool:
        """The client sends no more; a response under way is still sent (answer True keeps the socket)."""
        self.half_closed = True
        if self.state == HEAD:
            return self.write_paused and bool(self.buffer)
        return self.state == WAIT and self.transaction is not None

    def close(self) -> None:
        """Close once what was written is sent."""
        self.state = CLOSED
        self.deadline = self.gateway.clock + self.gateway.timeouts.body
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        self.state = CLOSED
        if self.transport is not None:
            self.transport.abort()

    def reset(self) -> None:
        """Close at once by a reset, where an orderly end would make a part of a response look whole."""
        transport = self.transport
        if transport is not None and not transport.is_closing():
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        """The client is gone."""
        self.state = CLOSED
        self.gateway.forget(self)
        if self.tunnel is not None:
            self.tunnel.close()
            self.tunnel = None
        transaction = self.transaction
        self.transaction = None
        if transaction is not None:
            transaction.on_client_lost()


def _body_too_large(limit: int) -> ProtocolError:
    return ProtocolError("REQUEST_BODY_TOO_LARGE", f"the body is larger than {limit} bytes")
