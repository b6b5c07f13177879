"""One request on its way: policies, backend, response. All of it by callbacks; only what waits makes a task.

A transaction reads the program once. This part takes the request in and sends it to a backend.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from gateway_runtime.connections.bodies import BufferedBody
from gateway_runtime.connections.response_phase import ResponsePhase
from gateway_runtime.connections.steps import CONNECTING, ENDED, POLICIES, RESPONDING, WAITING
from gateway_runtime.connections.wire import CHUNKED, CONTINUE, request_head
from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Exchange, Request
from gateway_runtime.program.api import PLATFORM
from gateway_runtime.program.endpoints import EndpointProgram, Origin
from gateway_runtime.protocols.http1.chunked import encode_chunk, encode_last_chunk
from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.request import RequestHead

if TYPE_CHECKING:
    from gateway_runtime.connections.client import ClientConnection
    from gateway_runtime.connections.upstream import UpstreamConnection

_LOG: Final = logging.getLogger(__name__)
_IDEMPOTENT: Final = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"))


class Transaction(ResponsePhase):
    """A request, from its head to the last byte of its response."""

    __slots__ = ("_body", "_pending", "_replayable", "_retried", "_sent", "_trailers", "_tries", "refusal")

    def __init__(self, client: ClientConnection, head: RequestHead) -> None:
        super().__init__(client, head)
        self.refusal: ProtocolError | None = None
        """What is wrong with the part of the body that came with the head."""
        self._pending: list[bytes] | None = None
        self._trailers: list[bytes] | None = None
        self._body: BufferedBody | None = None
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
        if self.refusal is not None:
            self.on_request_error(self.refusal)
            return
        self._run()

    def _run(self) -> None:
        """Run the steps of the request phase, then go to the backend."""
        try:
            if not self._run_steps():
                return
        except Exception as error:  # a policy's failure is this request's trouble alone
            self._policy_failed(error)
            return
        self._forward()

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
        if trailers:
            self._trailers = trailers
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
            self._cut()
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
        endpoint = group.choose()
        if endpoint is None:
            self._fail("UPSTREAM_NO_ENDPOINT")
        else:
            self._send_to(endpoint, False)

    def _send_to(self, endpoint: EndpointProgram, fresh: bool) -> None:
        self.endpoint = endpoint
        client = self.client
        self.phase = CONNECTING
        self._tries += 1
        if self.group is not None:
            client.deadline = client.gateway.clock + self.group.connect_timeout
        connection = client.gateway.pool(endpoint.origin).acquire(self, fresh)
        if connection is not None:
            self.on_upstream(connection)

    def waits_for(self, origin: Origin) -> bool:
        """Whether a connection to that backend is still wanted."""
        endpoint = self.endpoint
        return self.phase == CONNECTING and endpoint is not None and endpoint.origin.key == origin.key

    def on_upstream(self, connection: UpstreamConnection) -> None:
        """A connection to the backend is there: send the request."""
        endpoint, group, client = self.endpoint, self.group, self.client
        if endpoint is None or group is None:
            return
        self.connecting = None
        head = self.head
        try:
            if head.content_length or head.chunked or self._body is not None or head.upgrade is not None:
                data = self._request_bytes(endpoint)
            else:
                data = request_head(head.request, self._lines(endpoint), endpoint, b"")
        except Exception as error:  # an expression of the endpoint's headers
            connection.release()
            self._policy_failed(error)
            return
        self.upstream = connection
        self.phase = WAITING
        self._sent = True
        self._replayable = self.request_done
        connection.begin(self, data)
        client.deadline = client.gateway.clock + self._patience()
        if not self.request_done:
            self._pending = None
            if not connection.write_paused:
                client.resume_reading()

    def _lines(self, endpoint: EndpointProgram) -> list[bytes]:
        """The fields for the backend; the endpoint's own are not put on the request."""
        exchange = self.exchange
        if exchange is None or not (endpoint.lines or endpoint.dynamic):
            return self.head.request.headers.lines
        return endpoint.fields_for(exchange).lines

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
        parts = [request_head(request, self._lines(endpoint), endpoint, extra)]
        for piece in self._pending or ():
            parts.append(encode_chunk(piece) if head.chunked else piece)
        if head.chunked and self.request_done:
            parts.append(encode_last_chunk(self._trailers or []))
        return b"".join(parts)

    def _buffered_request(self, request: Request, endpoint: EndpointProgram, body: bytes) -> bytes:
        request.headers.set_line(b"content-length", b"content-length: %d" % len(body))
        return request_head(request, self._lines(endpoint), endpoint, b"") + body

    def on_connect_failed(self, reason: str) -> None:
        """No connection: nothing was sent, so another endpoint may be tried."""
        self.connecting = None
        if self.phase == CONNECTING:
            _LOG.debug("connecting failed: %s", reason)
            self._try_next("UPSTREAM_CONNECTION_FAILED")

    def _try_next(self, key: str) -> None:
        """Try an endpoint that this request has not tried; `key` is the error where none is left."""
        group, endpoint = self.group, self.endpoint
        following: EndpointProgram | None = None
        if group is not None and endpoint is not None and self._tries < len(group.endpoints):
            following = group.after(endpoint)
        if following is None:
            self._fail(key)
        else:
            self._send_to(following, False)

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
            self._tries = 0
            self.client.gateway.stats.upstream_retries += 1
            self._send_to(self.endpoint, True)
        elif self.phase != ENDED:
            self._fail("UPSTREAM_CONNECTION_CLOSED")
        else:
            self.client.on_tunnel_end()

    def _may_retry(self, connection: UpstreamConnection) -> bool:
        """Whether the backend closed a kept connection unseen (RFC 9112 section 9.3.1)."""
        return (
            connection.reused
            and not connection.answered
            and not self._retried
            and self._replayable
            and self.head.request.method in _IDEMPOTENT
        )

    def on_deadline(self) -> None:
        """The sweep found the deadline passed."""
        client = self.client
        if self.progress:
            self.progress = False
            client.deadline = client.gateway.clock + self._patience()
        elif self.phase == CONNECTING:
            self._drop_upstream()
            self._try_next("UPSTREAM_CONNECT_TIMEOUT")
        elif self.phase == WAITING and (self.request_done or client.read_paused):
            self._fail("UPSTREAM_RESPONSE_TIMEOUT")
        elif self.phase == RESPONDING:
            self._drop_upstream()
            self._cut()
        else:
            self._keep_alive = False
            self._fail("REQUEST_TIMEOUT")
