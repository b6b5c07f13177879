"""The head of a backend's response to a `ResponseHead` (RFC 9112 sections 4 to 6), strictly."""

from __future__ import annotations

from typing import Final

from gateway_runtime.exchange import Headers, Response
from gateway_runtime.protocols.http1.errors import invalid_response
from gateway_runtime.protocols.http1.fields import (
    CONNECTION,
    CONTENT_LENGTH,
    HOP_BY_HOP,
    TRANSFER_ENCODING,
    UPGRADE,
    options,
    parse_content_length,
    scan,
)

UNTIL_CLOSE: Final = -1
_KNOWN_LINES: Final = 256
_LONGEST_KNOWN: Final = 64


class ResponseHead:
    """A response with how its body is framed and whether its connection can serve again."""

    __slots__ = ("chunked", "content_length", "keep_alive", "response", "upgrade")

    def __init__(self, response: Response) -> None:
        self.response = response
        self.content_length: int = UNTIL_CLOSE
        """The length of the body in bytes; `UNTIL_CLOSE` where the end of the connection ends it."""
        self.chunked: bool = False
        self.keep_alive: bool = True
        self.upgrade: bytes | None = None


def parse_response(head: bytes, to_head_request: bool) -> ResponseHead:
    """The response of a head, which is given without the empty line that ends it.

    Raises ProtocolError for anything that RFC 9112 does not allow.
    """
    scanned = scan(head)
    if scanned is None:
        raise invalid_response("the response head has a line that is no field line")
    line, names, lines, kinds, others = scanned
    result = _status_line(line, Headers(names, lines))
    connection: list[bytes] | None = None
    length = -1
    for index in range(len(kinds)):
        kind, other = kinds[index], others[index]
        if kind == CONTENT_LENGTH:
            length = _take_length(result, length, other)
        elif kind == TRANSFER_ENCODING:
            _take_encoding(result, other)
        elif kind == CONNECTION:
            members = options(other, 10)
            connection = members if connection is None else connection + members
        elif kind == UPGRADE:
            result.upgrade = other[8:].strip(b" \t")
        elif kind != HOP_BY_HOP:
            names.append(other[: other.find(b":")].lower())
            lines.append(other)
    if connection is not None:
        _apply_connection(result, connection)
    _frame(result, length, to_head_request)
    return result


def check_begun(data: bytes) -> None:
    """Refuse the beginning of a head that cannot become one, however much more comes: never wait for it.

    Raises ProtocolError.
    """
    if data[:7] != b"HTTP/1."[: len(data)]:
        raise invalid_response("the response does not start with a status line")
    if data.count(b"\n") != data.count(b"\r\n"):
        raise invalid_response("the response head has a line that CRLF does not end")


class _StatusLine:
    """A status line, taken apart."""

    __slots__ = ("persistent", "reason", "status")

    def __init__(self, status: int, reason: bytes, persistent: bool) -> None:
        self.status = status
        self.reason = reason
        self.persistent = persistent


_STATUS_LINES: Final[dict[bytes, _StatusLine]] = {}
"""Status lines seen; bounded, and only ever filled with valid ones."""


def _status_line(line: bytes, headers: Headers) -> ResponseHead:
    known = _STATUS_LINES.get(line)
    if known is None:
        known = _parse_status_line(line)
        if len(_STATUS_LINES) < _KNOWN_LINES and len(line) <= _LONGEST_KNOWN:
            _STATUS_LINES[line] = known
    head = ResponseHead(Response(known.status, known.reason, headers))
    head.keep_alive = known.persistent
    return head


def _parse_status_line(line: bytes) -> _StatusLine:
    version = line[:9]
    code = line[9:12]
    if version not in (b"HTTP/1.1 ", b"HTTP/1.0 ") or not code.isdigit() or line[12:13] not in (b" ", b""):
        raise invalid_response("the response does not start with a status line")
    status = int(code)
    if not 100 <= status <= 599:
        raise invalid_response(f"the response has the status {status}")
    return _StatusLine(status, line[13:], version == b"HTTP/1.1 ")


def _take_length(head: ResponseHead, before: int, line: bytes) -> int:
    if before >= 0:
        raise invalid_response("the response has more than one Content-Length")
    length = parse_content_length(line)
    if length < 0:
        raise invalid_response("the Content-Length is not a number of bytes")
    head.response.headers.names.append(b"content-length")
    head.response.headers.lines.append(line)
    return length


def _take_encoding(head: ResponseHead, line: bytes) -> None:
    if head.chunked or line[18:].strip(b" \t").lower() != b"chunked":
        raise invalid_response("the only Transfer-Encoding served is chunked")
    head.chunked = True


def _apply_connection(head: ResponseHead, members: list[bytes]) -> None:
    if b"close" in members:
        head.keep_alive = False
    elif b"keep-alive" in members and not head.chunked:
        head.keep_alive = True  # of HTTP/1.0; chunked does not belong there (RFC 9112 section 6.1)
    for member in members:
        if member not in (b"close", b"keep-alive", b"upgrade", b"content-length", b""):
            head.response.headers.discard(member)


def _frame(head: ResponseHead, length: int, to_head_request: bool) -> None:
    """RFC 9112 section 6.3: how long the body is."""
    status = head.response.status
    if head.chunked and length >= 0:
        raise invalid_response("the response has both Transfer-Encoding and Content-Length")
    if status < 200 or status == 204:
        head.response.headers.discard(b"content-length")
        head.chunked = False
        head.content_length = 0
    elif to_head_request or status == 304:
        head.chunked = False
        head.content_length = 0
    elif not head.chunked:
        head.content_length = length
        if length < 0:
            head.keep_alive = False
