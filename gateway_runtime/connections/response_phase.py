"""The response of one exchange: the backend's, or the gateway's own in its place, to its last byte."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

from gateway_runtime.connections.bodies import BufferedBody
from gateway_runtime.connections.steps import ENDED, RESPONDING, PolicyRun
from gateway_runtime.connections.wire import (
    CHUNKED,
    CLOSE,
    END,
    KEEP_ALIVE,
    phrase,
    response_bytes,
    status_line,
)
from gateway_runtime.exchange import Exchange, Headers, Reply, Response, field_line
from gateway_runtime.program.api import DONE
from gateway_runtime.program.cors import CorsProgram
from gateway_runtime.program.endpoints import EndpointGroupProgram, EndpointProgram
from gateway_runtime.program.templates import render_error
from gateway_runtime.protocols.http1.chunked import encode_chunk, encode_last_chunk
from gateway_runtime.protocols.http1.request import RequestHead
from gateway_runtime.protocols.http1.response import UNTIL_CLOSE, ResponseHead

if TYPE_CHECKING:
    from gateway_runtime.connections.client import ClientConnection
    from gateway_runtime.connections.upstream import UpstreamConnection

_LOG: Final = logging.getLogger(__name__)
_BODYLESS: Final = (204, 304)


class ResponsePhase(PolicyRun):
    """What the client gets. It ends exactly once, by `_finish`, whatever happened on either side."""

    __slots__ = (
        "_bodyless",
        "_chunked_out",
        "_keep_alive",
        "_response_body",
        "_response_pending",
        "_started",
        "connecting",
        "cors",
        "endpoint",
        "error_key",
        "group",
        "is_head",
        "progress",
        "request_bytes",
        "request_done",
        "response_bytes",
        "status",
        "upstream",
    )

    def __init__(self, client: ClientConnection, head: RequestHead) -> None:
        super().__init__(client, head)
        self.is_head: bool = head.request.method == "HEAD"
        self.progress: bool = False
        """Whether bytes have passed since the last look of the sweep."""
        self.request_done: bool = True
        """Whether the whole request has come."""
        self.request_bytes: int = 0
        self.response_bytes: int = 0
        self.status: int = 0
        self.error_key: str = ""
        self.cors: CorsProgram | None = None
        self.group: EndpointGroupProgram | None = None
        self.endpoint: EndpointProgram | None = None
        self.upstream: UpstreamConnection | None = None
        self.connecting: asyncio.Task[None] | None = None
        self._started: float = monotonic()
        self._response_body: BufferedBody | None = None
        self._response_pending: list[bytes] | None = None
        self._chunked_out: bool = False
        self._bodyless: bool = False
        self._keep_alive: bool = head.keep_alive

    # -- the backend's response

    def on_interim(self, head: ResponseHead) -> None:
        """A 1xx response (RFC 9110 section 15.2)."""
        if self.head.request.version == "HTTP/1.1":
            response = head.response
            lines = [status_line(response.status, response.reason), *response.headers.lines]
            self.client.write(b"\r\n".join(lines) + END)

    def on_response(self, head: ResponseHead, data: bytes, complete: bool) -> None:
        """The head of the response, and what came with it of the body; `complete`: that is all of it."""
        self._response = head
        exchange = self.exchange
        if exchange is not None:
            exchange.response = head.response
        if self._response_steps:
            self._steps = self._response_steps
            self._index = 0
            self._stage = DONE
            self.status = head.response.status
            if not self._run_response_steps():
                self._hold(data, complete)
                return
        self._send_head(head, data, complete)
        if complete:
            self._complete([])

    def _hold(self, data: bytes, complete: bool) -> None:
        """Keep the response until the step that waits is through; nothing to keep where it has answered."""
        if self.phase in (RESPONDING, ENDED):
            return
        self._response_pending = [data] if data else []
        if complete:
            self._detach()
        else:
            self.pause_response()

    def _run_response_steps(self) -> bool:
        """Run the steps of the response phase; False where one has answered or waits."""
        try:
            if not self._run_steps():
                return False
        except Exception as error:  # a policy's failure is this request's trouble alone
            self._policy_failed(error)
            return False
        head = self._response
        if head is not None and head.response.status != self.status:
            self._reframe(head, self.status)
        return True

    def _reframe(self, head: ResponseHead, before: int) -> None:
        """Fit the framing to a status that a policy has changed (RFC 9112 section 6.3)."""
        headers = head.response.headers
        if head.response.status in _BODYLESS:
            self._bodyless = True
            head.chunked = False
            head.content_length = 0
            if head.response.status == 204:
                headers.discard(b"content-length")
        elif before in _BODYLESS and not self.is_head:
            headers.set_line(b"content-length", b"content-length: 0")

    def _detach(self) -> None:
        """The backend's part is over: give its connection back."""
        upstream = self.upstream
        self.upstream = None
        if upstream is not None:
            upstream.release()

    def _run_response(self) -> None:
        """Go on with the response phase once a step has waited."""
        if not self._run_response_steps():
            return
        head = self._response
        pending = self._response_pending
        if head is None or pending is None:
            return
        self._response_pending = None
        body = self._response_body
        ended = self.upstream is None
        if body is not None:
            self._send_buffered(head, body.value())
            return
        self._send_head(head, b"" if not pending else b"".join(pending), ended)
        if ended:
            self._complete([])
        elif not self.client.write_paused and self.upstream is not None:
            self.upstream.resume_reading()

    async def read_response_body(self) -> bytes:
        """The whole response body, buffered for a policy; raises BodyTooLargeError beyond the limit."""
        gateway = self.client.gateway
        body = self._response_body
        if body is None:
            body = self._response_body = BufferedBody(gateway.loop, gateway.limits.buffered_body)
            for piece in self._response_pending or ():
                body.add(piece)
            self._response_pending = []
            if self.upstream is None:
                body.end()
            else:
                self.upstream.resume_reading()
        return await body.wait()

    def _send_buffered(self, head: ResponseHead, body: bytes) -> None:
        head.chunked = False
        head.content_length = len(body)
        if not self.is_head and not self._bodyless:
            head.response.headers.set_line(b"content-length", b"content-length: %d" % len(body))
        self._send_head(head, body, True)
        self._complete([])

    def _send_head(self, head: ResponseHead, data: bytes, complete: bool) -> None:
        """Write the head, and what is there of the body in the same go."""
        self.phase = RESPONDING
        client = self.client
        response = head.response
        self.status = response.status
        exchange = self.exchange
        if exchange is not None and (exchange.late_headers is not None or self.cors is not None):
            self._mark(exchange, response)
        framing = b""
        if head.chunked or head.content_length == UNTIL_CLOSE:
            if self.head.request.version == "HTTP/1.1":
                framing = CHUNKED
                self._chunked_out = True
            else:
                self._keep_alive = False
        if not self.request_done or client.gateway.draining or client.is_ending():
            self._keep_alive = False
        connection = b""
        if not self._keep_alive:
            connection = CLOSE
        elif self.head.request.version == "HTTP/1.0":
            connection = KEEP_ALIVE
        if self._bodyless:
            data = b""
        elif data and self._chunked_out:
            data = encode_chunk(data)
        self.response_bytes += len(data)
        client.write(response_bytes(response, connection, framing, data))
        if not complete:
            client.deadline = client.gateway.clock + self._patience()

    def _mark(self, exchange: Exchange, response: Response) -> None:
        """Put on the fields that every response of the API carries, whoever made it."""
        for name, line in exchange.late_headers or ():
            response.headers.set_line(name, line)
        if self.cors is not None:
            self.cors.mark(exchange, response.headers)

    def on_response_body(self, data: bytes) -> None:
        """A part of the response's body."""
        if self.phase != RESPONDING:
            if self._response_body is not None:
                self._response_body.add(data)
            elif self._response_pending is not None:
                self._response_pending.append(data)
                self.pause_response()
            return
        if self._bodyless:
            return
        self.response_bytes += len(data)
        self.client.write(encode_chunk(data) if self._chunked_out else data)

    def on_response_end(self, trailers: list[bytes]) -> None:
        """The response is complete."""
        if self.phase == RESPONDING:
            self._complete(trailers)
        else:
            self._detach()
            if self._response_body is not None:
                self._response_body.end()

    def _complete(self, trailers: list[bytes]) -> None:
        """The backend's part is over: end the response and the transaction."""
        if self._chunked_out:
            self.client.write(encode_last_chunk(trailers))
        upstream = self.upstream
        self.upstream = None
        if upstream is not None:
            if self.request_done:
                upstream.release()
            else:
                upstream.abort()
        self._finish(self._keep_alive and self.request_done)

    def on_switch(self, head: ResponseHead, data: bytes) -> None:
        """The backend has switched protocols (RFC 9110 section 7.8): the connections become a tunnel."""
        upstream, client = self.upstream, self.client
        if upstream is None:
            return
        response = head.response
        self.status = response.status
        connection = b"\r\nconnection: upgrade\r\nupgrade: " + (head.upgrade or b"")
        client.write(response_bytes(response, connection, b"", data))
        self.phase = ENDED
        self._record()
        self.exchange = None
        client.switch(upstream)

    def pause_response(self) -> None:
        """Take no more of the response for now."""
        if self.upstream is not None:
            self.upstream.pause_reading()

    def on_client_full(self) -> None:
        """The client does not keep up: its own time limit counts from now."""
        self.pause_response()
        if self.phase == RESPONDING:
            self.client.deadline = self.client.gateway.clock + self._patience()

    def on_client_ready(self) -> None:
        """The client takes more again: so does the gateway of the backend."""
        if self.upstream is not None and (self._response_pending is None or self._response_body is not None):
            self.upstream.resume_reading()
        if self.phase == RESPONDING:
            self.client.deadline = self.client.gateway.clock + self._patience()

    # -- the gateway's own responses

    def _answer(self, reply: Reply) -> None:
        """Answer in place of the backend."""
        if self.phase in (RESPONDING, ENDED):
            return
        self._drop_upstream()
        if self._response is not None:
            self._response_steps = ()
        if reply.key:
            self._response_steps = ()
            self.error_key = reply.key
            reply = self._render(reply)
        self._own_response(reply)

    def _render(self, reply: Reply) -> Reply:
        stats = self.client.gateway.stats.api("-") if self.api is None else self.api.stats
        stats.count_error(reply.key)
        templates = {} if self.api is None else self.api.templates
        try:
            return render_error(reply, templates, self.exchange)
        except Exception as error:  # an expression of the template: the plain error must still get out
            _LOG.warning("a response template for %s failed: %s", reply.key, error)
            return render_error(reply, {}, None)

    def _own_response(self, reply: Reply) -> None:
        headers = Headers([b"date"], [self.client.gateway.date.line()])
        for name, value in reply.headers or ():
            headers.names.append(name.lower().encode("latin-1"))
            headers.lines.append(field_line(name, value))
        head = ResponseHead(Response(reply.status, phrase(reply.status), headers))
        body = reply.body
        head.content_length = len(body)
        if reply.status >= 200 and reply.status not in (204, 304):
            headers.set_line(b"content-length", b"content-length: %d" % len(body))
        else:
            body = b""
        if self.is_head:
            body = b""
        self.on_response(head, body, True)

    # -- the end

    def _break_off(self) -> None:
        """The backend cannot complete the response: the client gets what has come, and sees that."""
        if self._is_framed():
            self.client.close()
            self._finish(False)
        else:
            self._cut()

    def _cut(self) -> None:
        """End a response that cannot be completed, at once."""
        if self._is_framed():
            self.client.abort()
        else:
            self.client.reset()
        self._finish(False)

    def _is_framed(self) -> bool:
        """Whether a client can tell a part of the response from the whole (RFC 9112 section 8)."""
        head = self._response
        return self._chunked_out or (head is not None and not head.chunked and head.content_length >= 0)

    def _patience(self) -> float:
        """Seconds without progress: a slow client's limit, else the backend's."""
        client = self.client
        if self.group is None or client.write_paused or not self.request_done:
            return client.gateway.timeouts.body
        return self.group.response_timeout

    def on_client_lost(self) -> None:
        """The client has gone: nobody waits for the response."""
        if self.phase == ENDED:
            return
        self._drop_upstream()
        self.status = self.status or 499
        self._finish(False)

    def _drop_upstream(self) -> None:
        if self.connecting is not None:
            self.connecting.cancel()
            self.connecting = None
        upstream = self.upstream
        self.upstream = None
        if upstream is not None:
            upstream.abort()

    def _finish(self, keep_alive: bool) -> None:
        if self.phase == ENDED:
            return
        self.phase = ENDED
        if self._task is not None and not self._task.done() and asyncio.current_task() is not self._task:
            self._task.cancel()
        self._record()
        self.exchange = None  # it refers back here: freed now, not by the cycle collector
        self.client.transaction_done(keep_alive)

    def _record(self) -> None:
        """Count, and log where the API wants it."""
        seconds = monotonic() - self._started
        api = self.api
        if api is None:
            self.client.gateway.stats.api("-").count(self.status, seconds)
            return
        stats = api.stats
        stats.count(self.status, seconds)
        stats.request_bytes += self.request_bytes
        stats.response_bytes += self.response_bytes
        if api.access_log:
            self.client.gateway.log(self, seconds)
