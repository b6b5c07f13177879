"""One request on its way: policies, backend, response. All of it by callbacks; only what waits makes a task.

A transaction reads the program once. It ends exactly once, by `_finish`, whatever happened on either side.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

from gateway_runtime.connections.bodies import BodyTooLargeError, BufferedBody
from gateway_runtime.connections.wire import (
    CHUNKED,
    CLOSE,
    CONTINUE,
    END,
    KEEP_ALIVE,
    phrase,
    request_head,
    response_head,
    status_line,
)
from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Exchange, Headers, Reply, Request, Response, field_line
from gateway_runtime.policies.base import Outcome, StepFunction
from gateway_runtime.program.api import DONE, PLATFORM, ApiProgram
from gateway_runtime.program.cors import CorsProgram
from gateway_runtime.program.endpoints import EndpointGroupProgram, EndpointProgram
from gateway_runtime.program.templates import render_error
from gateway_runtime.protocols.http1.chunked import encode_chunk, encode_last_chunk
from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.request import RequestHead
from gateway_runtime.protocols.http1.response import UNTIL_CLOSE, ResponseHead

if TYPE_CHECKING:
    from gateway_runtime.connections.client import ClientConnection
    from gateway_runtime.connections.upstream import UpstreamConnection

_LOG: Final = logging.getLogger(__name__)
_IDEMPOTENT: Final = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"))

POLICIES: Final = 0
CONNECTING: Final = 1
WAITING: Final = 2
RESPONDING: Final = 3
ENDED: Final = 4


class Transaction:
    """A request, from its head to the last byte of its response."""

    __slots__ = (
        "_body",
        "_chunked_out",
        "_index",
        "_keep_alive",
        "_pending",
        "_replayable",
        "_response",
        "_response_body",
        "_response_pending",
        "_response_steps",
        "_retried",
        "_sent",
        "_stage",
        "_started",
        "_steps",
        "_task",
        "_tries",
        "api",
        "client",
        "connecting",
        "cors",
        "endpoint",
        "error_key",
        "exchange",
        "group",
        "head",
        "is_head",
        "phase",
        "progress",
        "request_bytes",
        "request_done",
        "response_bytes",
        "status",
        "upstream",
    )

    def __init__(self, client: ClientConnection, head: RequestHead) -> None:
        self.client = client
        self.head = head
        self.is_head: bool = head.request.method == "HEAD"
        self.phase: int = POLICIES
        self.progress: bool = False
        """Whether bytes have passed since the last look of the sweep."""
        self.request_done: bool = True
        """Whether the whole request has come."""
        self.request_bytes: int = 0
        self.response_bytes: int = 0
        self.status: int = 0
        self.error_key: str = ""
        self.api: ApiProgram | None = None
        self.cors: CorsProgram | None = None
        self.exchange: Exchange | None = None
        self.group: EndpointGroupProgram | None = None
        self.endpoint: EndpointProgram | None = None
        self.upstream: UpstreamConnection | None = None
        self.connecting: asyncio.Task[None] | None = None
        self._started: float = monotonic()
        self._stage: int = DONE
        self._steps: tuple[StepFunction, ...] = ()
        self._index: int = 0
        self._response_steps: tuple[StepFunction, ...] = ()
        self._task: asyncio.Task[None] | None = None
        self._pending: list[bytes] | None = None
        self._body: BufferedBody | None = None
        self._response: ResponseHead | None = None
        self._response_body: BufferedBody | None = None
        self._response_pending: list[bytes] | None = None
        self._chunked_out: bool = False
        self._keep_alive: bool = head.keep_alive
        self._sent: bool = False
        self._replayable: bool = False
        self._retried: bool = False
        self._tries: int = 0

    # -- the request phase

    def start(self) -> None:
        """Find the API and run its policies."""
        client = self.client
        gateway = client.gateway
        request = self.head.request
        route = gateway.program.router.find(request.host, request.path)
        if client.identity is not None:
            request.remote_address = client.identity.mark(self.head, gateway.trusted)
        if route is None:
            self._fail("GATEWAY_ROUTE_NOT_FOUND")
            return
        api = route.api
        self.api = api
        if route.prefix:
            request.api_path = request.path[len(route.prefix) :] or "/"
        exchange = Exchange(request, api.info)
        self.exchange = exchange
        exchange.bodies = self
        if route.cors is not None:
            preflight = route.cors.preflight(request)
            if preflight is not None:
                self._answer(preflight)
                return
            self.cors = route.cors
        if api.error:
            self._fail("GATEWAY_API_UNAVAILABLE")
            return
        static = api.static
        if static is not None:
            self._steps = static.request
            self._response_steps = static.response
        else:
            self._stage = PLATFORM
            self._enter_stage()
        self._run()

    def _enter_stage(self) -> None:
        api, exchange = self.api, self.exchange
        if api is None or exchange is None:
            return
        selection = api.stage(self._stage, exchange)
        self._stage = self._stage + 1
        self._steps = selection.request
        self._index = 0
        if selection.response:
            self._response_steps = selection.response + self._response_steps

    def _run(self) -> None:
        """Run the steps of the request phase, then go to the backend."""
        try:
            if not self._run_steps():
                return
        except Exception as error:  # a policy's failure is this request's trouble alone
            self._policy_failed(error)
            return
        self._forward()

    def _run_steps(self) -> bool:
        """Run steps until all are through; False where one has answered or waits."""
        exchange = self.exchange
        if exchange is None:
            return False
        while True:
            steps = self._steps
            while self._index < len(steps):
                step = steps[self._index]
                self._index = self._index + 1
                outcome = step(exchange)
                if outcome is not None:
                    self._take_outcome(outcome)
                    return False
            if self._stage == DONE:
                return True
            self._enter_stage()

    def _take_outcome(self, outcome: Outcome) -> None:
        if isinstance(outcome, Reply):
            self._answer(outcome)
        elif outcome is not None:
            self._task = self.client.gateway.loop.create_task(self._wait(outcome))

    async def _wait(self, outcome: object) -> None:
        """Wait for a step, then go on where the phase was."""
        try:
            reply = await outcome  # type: ignore[misc]
        except BodyTooLargeError as error:
            self._too_large(error)
            return
        except Exception as error:  # a policy's failure is this request's trouble alone
            self._policy_failed(error)
            return
        if self.phase == ENDED:
            return
        if isinstance(reply, Reply):
            self._answer(reply)
        elif self._response is None:
            self._run()
        else:
            self._run_response()

    def _too_large(self, error: BodyTooLargeError) -> None:
        if self._response is None:
            self._answer(error_reply("REQUEST_BODY_TOO_LARGE", str(error)))
        else:
            self._answer(error_reply("UPSTREAM_RESPONSE_INVALID", str(error)))

    def _policy_failed(self, error: Exception) -> None:
        if self.phase == ENDED:
            return
        key = "-" if self.api is None else self.api.key
        _LOG.warning("a policy of %s failed: %s: %s", key, type(error).__name__, error)
        self._fail("GATEWAY_POLICY_FAILED")

    # -- the request body

    async def read_request_body(self) -> bytes:
        """The whole request body, buffered for a policy; raises BodyTooLargeError beyond the limit."""
        gateway = self.client.gateway
        body = self._body
        if body is None:
            body = self._body = BufferedBody(gateway.loop, gateway.limits.buffered_body)
            for piece in self._pending or ():
                body.add(piece)
            self._pending = None
            if self.request_done:
                body.end()
            elif self.head.expect_continue:
                self.head.expect_continue = False
                self.client.write(CONTINUE)
            self.client.resume_reading()
        return await body.wait()

    def on_request_body(self, piece: bytes) -> None:
        """A part of the request's body."""
        self.request_bytes += len(piece)
        if self._body is not None:
            self._body.add(piece)
            return
        if self._sent and self.upstream is not None:
            self.upstream.write(encode_chunk(piece) if self.head.chunked else piece)
            return
        if self._pending is None:
            self._pending = [piece]
        else:
            self._pending.append(piece)
        if not self.request_done:
            self.client.pause_body()

    def on_request_end(self, trailers: list[bytes]) -> None:
        """The request's body is complete."""
        self.request_done = True
        if self.phase == POLICIES:
            self.client.deadline = 0.0
        if self._body is not None:
            self._body.end()
        elif self._sent and self.upstream is not None:
            if self.head.chunked:
                self.upstream.write(encode_last_chunk(trailers))
            if self.phase == WAITING and self.group is not None:
                self.client.deadline = self.client.gateway.clock + self.group.response_timeout

    def on_request_error(self, error: ProtocolError) -> None:
        """The request's body is broken: its framing is in doubt, so both sides close."""
        self._drop_upstream()
        if self.phase == RESPONDING:
            self._finish(False)
            self.client.abort()
        else:
            self._keep_alive = False
            self._answer(error_reply(error.key, error.message))

    # -- towards the backend

    def _forward(self) -> None:
        api, exchange = self.api, self.exchange
        if api is None or exchange is None:
            return
        group = api.default_group if exchange._attributes is None else api.group(exchange)
        if group is None:
            self._fail("UPSTREAM_NO_ENDPOINT")
            return
        self.group = group
        self._send_to(group.choose(), False)

    def _send_to(self, endpoint: EndpointProgram, fresh: bool) -> None:
        self.endpoint = endpoint
        client = self.client
        if endpoint.lines or endpoint.dynamic:
            exchange = self.exchange
            if exchange is None or not self._mark(endpoint, exchange):
                return
        self.phase = CONNECTING
        self._tries += 1
        if self.group is not None:
            client.deadline = client.gateway.clock + self.group.connect_timeout
        connection = client.gateway.pool(endpoint.origin).acquire(self, fresh)
        if connection is not None:
            self.on_upstream(connection)

    def _mark(self, endpoint: EndpointProgram, exchange: Exchange) -> bool:
        try:
            endpoint.mark(exchange)
        except Exception as error:  # an expression of the endpoint's headers
            self._policy_failed(error)
            return False
        return True

    def waits_for_upstream(self) -> bool:
        """Whether a connection is still wanted."""
        return self.phase == CONNECTING

    def on_upstream(self, connection: UpstreamConnection) -> None:
        """A connection to the backend is there: send the request."""
        endpoint, group, client = self.endpoint, self.group, self.client
        if endpoint is None or group is None:
            return
        self.upstream = connection
        self.connecting = None
        self.phase = WAITING
        self._sent = True
        self._replayable = self.request_done
        client.deadline = client.gateway.clock + group.response_timeout
        head = self.head
        if self.request_done and self._pending is None and self._body is None and head.upgrade is None:
            connection.begin(self, request_head(head.request, endpoint, CHUNKED if head.chunked else b""))
        else:
            connection.begin(self, self._request_bytes(endpoint))
            if not self.request_done:
                client.resume_reading()

    def _request_bytes(self, endpoint: EndpointProgram) -> bytes:
        """The head and what is there of the body."""
        head = self.head
        request = head.request
        if self._body is not None:
            return self._buffered_request(request, endpoint, self._body.value())
        extra = CHUNKED if head.chunked else b""
        if head.upgrade is not None:
            extra += b"\r\nconnection: upgrade\r\nupgrade: " + head.upgrade
        if head.expect_continue and not self.request_done and self._pending is None:
            extra += b"\r\nexpect: 100-continue"
        data = request_head(request, endpoint, extra)
        for piece in self._pending or ():
            data += encode_chunk(piece) if head.chunked else piece
        if head.chunked and self.request_done:
            data += encode_last_chunk([])
        return data

    def _buffered_request(self, request: Request, endpoint: EndpointProgram, body: bytes) -> bytes:
        request.headers.set_line(b"content-length", b"content-length: %d" % len(body))
        return request_head(request, endpoint, b"") + body

    def on_connect_failed(self, reason: str) -> None:
        """No connection: nothing was sent, so another endpoint may be tried."""
        self.connecting = None
        group = self.group
        if self.phase != CONNECTING or group is None:
            return
        if self._tries < len(group.endpoints):
            self._send_to(group.choose(), False)
        else:
            _LOG.debug("connecting failed: %s", reason)
            self._fail("UPSTREAM_CONNECTION_FAILED")

    def on_upstream_error(self, key: str, message: str) -> None:
        """The backend, or the way to it, is broken."""
        self.upstream = None
        if self.phase == RESPONDING:
            self._break_off()
        elif self.phase != ENDED:
            _LOG.debug("%s: %s", key, message)
            self._fail(key)

    def on_upstream_lost(self, connection: UpstreamConnection) -> None:
        """The backend has closed before its response was complete."""
        self.upstream = None
        if self.phase == RESPONDING:
            self._break_off()
        elif self.phase == WAITING and self._may_retry(connection) and self.endpoint is not None:
            self._retried = True
            self.client.gateway.stats.upstream_retries += 1
            self._send_to(self.endpoint, True)
        elif self.phase != ENDED:
            self._fail("UPSTREAM_CONNECTION_CLOSED")

    def _may_retry(self, connection: UpstreamConnection) -> bool:
        """Whether the backend closed a kept connection unseen (RFC 9112 section 9.3.1)."""
        return (
            connection.reused
            and not connection.answered
            and not self._retried
            and self._replayable
            and self.head.request.method in _IDEMPOTENT
        )

    def _break_off(self) -> None:
        """The response cannot be completed: the client must see that."""
        head = self._response
        framed = self._chunked_out or (head is not None and head.content_length != UNTIL_CLOSE)
        self._finish(False)
        if framed:
            self.client.close()
        else:
            self.client.abort()

    # -- the response phase

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
            return self._run_steps()
        except Exception as error:  # a policy's failure is this request's trouble alone
            self._policy_failed(error)
            return False

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
        if not self.is_head:
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
        if exchange is not None:
            if exchange.late_headers is not None:
                for name, line in exchange.late_headers:
                    response.headers.set_line(name, line)
            if self.cors is not None:
                self.cors.mark(exchange, response.headers)
        framing = b""
        if head.chunked or head.content_length == UNTIL_CLOSE:
            if self.head.request.version == "HTTP/1.1":
                framing = CHUNKED
                self._chunked_out = True
            else:
                self._keep_alive = False
        if not self.request_done or client.gateway.draining or client.half_closed:
            self._keep_alive = False
        connection = b""
        if not self._keep_alive:
            connection = CLOSE
        elif self.head.request.version == "HTTP/1.0":
            connection = KEEP_ALIVE
        if data and self._chunked_out:
            data = encode_chunk(data)
        self.response_bytes += len(data)
        client.write(response_head(response, connection, framing) + data)
        if not complete:
            client.deadline = client.gateway.clock + self._patience()
            self._pending = None

    def on_response_body(self, data: bytes) -> None:
        """A part of the response's body."""
        if self.phase != RESPONDING:
            if self._response_body is not None:
                self._response_body.add(data)
            elif self._response_pending is not None:
                self._response_pending.append(data)
                self.pause_response()
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
        client.write(response_head(response, connection, b"") + data)
        self.phase = ENDED
        self._record()
        client.switch(upstream)

    def pause_response(self) -> None:
        """Take no more of the response for now."""
        if self.upstream is not None:
            self.upstream.pause_reading()

    def resume_response(self) -> None:
        """Take the response again."""
        if self.upstream is not None and (self._response_pending is None or self._response_body is not None):
            self.upstream.resume_reading()

    # -- the gateway's own responses

    def _fail(self, key: str) -> None:
        """Answer with one of the gateway's own errors."""
        self._answer(error_reply(key))

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

    def on_deadline(self) -> None:
        """The sweep found the deadline passed."""
        client = self.client
        if self.progress:
            self.progress = False
            client.deadline = client.gateway.clock + self._patience()
        elif self.phase == CONNECTING:
            self._fail("UPSTREAM_CONNECT_TIMEOUT")
        elif self.phase == WAITING and self.request_done:
            self._fail("UPSTREAM_RESPONSE_TIMEOUT")
        elif self.phase == RESPONDING:
            self._drop_upstream()
            self._finish(False)
            client.abort()
        else:
            self._keep_alive = False
            self._fail("REQUEST_TIMEOUT")

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
