"""Heads as they go on the wire: status lines, request lines, and the fields that name this gateway.

The fields are Via (RFC 9110 section 7.6.3), Forwarded (RFC 7239) and X-Forwarded-*.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from gateway_runtime.exchange import Request, Response
from gateway_runtime.program.endpoints import EndpointProgram

VIA: Final = b"via: 1.1 penstock"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE: Final = b"\r\nconnection: close"
KEEP_ALIVE: Final = b"\r\nconnection: keep-alive"
CHUNKED: Final = b"\r\ntransfer-encoding: chunked"
END: Final = b"\r\n\r\n"
_VIA_END: Final = VIA + END

_PHRASES: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
_STATUS_LINES: Final[dict[int, bytes]] = {
    status: b"HTTP/1.1 %d %b" % (status, phrase) for status, phrase in _PHRASES.items()
}


def status_line(status: int, reason: bytes) -> bytes:
    """The status line; a backend's own reason phrase passes as it came."""
    if reason and reason != _PHRASES.get(status):
        return b"HTTP/1.1 %d %b" % (status, reason)
    line = _STATUS_LINES.get(status)
    return b"HTTP/1.1 %d " % status if line is None else line


def phrase(status: int) -> bytes:
    """The registered reason phrase of a status."""
    return _PHRASES.get(status, b"")


def response_bytes(response: Response, connection: bytes, framing: bytes, body: bytes) -> bytes:
    """The head of a response to a client, and what is there of its body.

    `connection` and `framing` are fields of this connection alone.
    """
    start = status_line(response.status, response.reason)
    rest = VIA + connection + framing + END if connection or framing else _VIA_END
    head = b"\r\n".join([start, *response.headers.lines, rest])
    return head + body if body else head


def request_head(request: Request, lines: list[bytes], endpoint: EndpointProgram, extra: bytes) -> bytes:
    """The head of a request to a backend; `extra` holds the fields of that connection alone."""
    path = endpoint.base + request.api_path if endpoint.base else request.api_path
    if request.query:
        path = f"{path}?{request.query}"
    line = f"{request.method} {path} HTTP/1.1".encode("latin-1")
    if extra:
        return b"\r\n".join([line, endpoint.host_line, *lines]) + extra + END
    return b"\r\n".join([line, endpoint.host_line, *lines, b"", b""])


class DateField:
    """The Date of the gateway's own responses (RFC 9110 section 6.6.1), made once a second."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second: int = 0
        self._line: bytes = b""

    def line(self) -> bytes:
        """The field line for now."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._line = b"date: " + formatdate(now, usegmt=True).encode("ascii")
        return self._line
