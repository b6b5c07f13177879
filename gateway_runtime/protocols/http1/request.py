"""The head of a request to a `RequestHead` (RFC 9112 sections 3 to 6): what is in doubt is an error.

Fields that concern only the client's own connection are taken out here (RFC 9110 section 7.6.1); the others
keep the line they came in.
"""

from __future__ import annotations

import re
from typing import Final

from gateway_runtime.exchange import Headers, Request
from gateway_runtime.protocols.http1.errors import ProtocolError, malformed
from gateway_runtime.protocols.http1.fields import (
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    FORWARDED,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
    options,
    parse_content_length,
    scan,
    target_shape,
)
from gateway_runtime.protocols.http1.scan import (
    HAS_ESCAPE,
    MARK_SHIFT,
    NO_TARGET,
    NOT_NORMAL,
    is_token,
    split_head,
)
from gateway_runtime.protocols.http1.target import (
    bad_character,
    check_escapes,
    normalise_path,
    parse_authority,
)

_METHODS: Final = {
    name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
}
_VERSION: Final = re.compile(rb"HTTP/[0-9]\.[0-9]")
_VERSIONS: Final = {b"HTTP/1.1": "HTTP/1.1", b"HTTP/1.0": "HTTP/1.0"}


class RequestHead:
    """A request with how its body is framed and what the connection does next."""

    __slots__ = (
        "chunked",
        "content_length",
        "expect_continue",
        "forwarded",
        "forwarded_names",
        "keep_alive",
        "request",
        "upgrade",
    )

    def __init__(self, request: Request) -> None:
        self.request = request
        self.content_length: int = 0
        """The length of the body in bytes; 0 where there is none or it is chunked."""
        self.chunked: bool = False
        self.keep_alive: bool = True
        self.expect_continue: bool = False
        self.upgrade: bytes | None = None
        """`websocket`, as the client spelt it, where the Connection field names the upgrade too."""
        self.forwarded: list[bytes] | None = None
        """Forwarded and X-Forwarded-* lines, to be believed or not."""
        self.forwarded_names: list[bytes] | None = None


class _Fields:
    """What the fields of one head say of its framing."""

    __slots__ = (
        "connection",
        "content_length",
        "expect",
        "forwarded",
        "forwarded_names",
        "host",
        "te",
        "upgrade",
    )

    def __init__(self) -> None:
        self.host: bytes | None = None
        self.content_length: int = -1
        self.te: bytes | None = None
        self.connection: list[bytes] | None = None
        self.upgrade: bytes | None = None
        self.expect: bytes | None = None
        self.forwarded: list[bytes] | None = None
        self.forwarded_names: list[bytes] | None = None


def parse_request(head: bytes, max_line: int, max_fields: int) -> RequestHead:
    """The request of a head, which is given without the empty line that ends it.

    Raises ProtocolError for anything that RFC 9112 does not allow, and for more than the limits.
    """
    scanned = scan(head)
    if scanned is None:
        raise _unscannable(head)
    line, names, lines, kinds, others = scanned
    if len(line) > max_line:
        raise ProtocolError("REQUEST_LINE_TOO_LONG", f"the request line is longer than {max_line} bytes")
    if len(lines) + len(others) > max_fields:
        raise ProtocolError(
            "REQUEST_HEADERS_TOO_LARGE", f"the request has more than {max_fields} header fields"
        )
    if len(kinds) == 1 and kinds[0] == HOST:
        return _plain(_request_line(line, Headers(names, lines), _host(others[0])))
    special = _Fields()
    for index in range(len(kinds)):
        _take_special(special, kinds[index], others[index])
    return _framed(_request_line(line, Headers(names, lines), special.host), special)


def _host(line: bytes) -> bytes:
    return line[5:].strip(b" \t")


def _plain(request: Request) -> RequestHead:
    """The head of a request without a body, whose fields say nothing of the connection."""
    head = RequestHead(request)
    head.keep_alive = request.version == "HTTP/1.1"
    return head


def _unscannable(head: bytes) -> ProtocolError:
    """What is wrong with a head whose lines are no field lines."""
    if split_head(head) is None:
        return malformed("the request head holds a control character, or a CR or LF that ends no line")
    return malformed("a header field has no valid name, is folded, or has a space before its colon")


def _take_special(fields: _Fields, kind: int, line: bytes) -> None:
    if kind == HOST:
        if fields.host is not None:
            raise malformed("the request has more than one Host")
        fields.host = _host(line)
    elif kind == CONTENT_LENGTH:
        if fields.content_length >= 0:
            raise malformed("the request has more than one Content-Length")
        fields.content_length = parse_content_length(line)
        if fields.content_length < 0:
            raise malformed("the Content-Length is not a number of bytes")
    elif kind == TRANSFER_ENCODING:
        if fields.te is not None:
            raise malformed("the request has more than one Transfer-Encoding")
        fields.te = line[18:].strip(b" \t").lower()
    elif kind == CONNECTION:
        members = options(line, 10)
        fields.connection = members if fields.connection is None else fields.connection + members
    elif kind == UPGRADE:
        fields.upgrade = line[8:].strip(b" \t")
    elif kind == EXPECT:
        fields.expect = line[7:].strip(b" \t").lower()
    elif kind == FORWARDED:
        _keep_forwarded(fields, line[: line.find(b":")].lower(), line)


def _keep_forwarded(fields: _Fields, name: bytes, line: bytes) -> None:
    if fields.forwarded is None or fields.forwarded_names is None:
        fields.forwarded = []
        fields.forwarded_names = []
    fields.forwarded.append(line)
    fields.forwarded_names.append(name)


def _request_line(line: bytes, headers: Headers, host: bytes | None) -> Request:
    parts = line.split(b" ")
    if len(parts) != 3:
        raise malformed(
            "the request line is not a method, a target and a version, with single spaces between"
        )
    version = _VERSIONS.get(parts[2])
    if version is None:
        raise _bad_version(parts[2])
    method = _METHODS.get(parts[0])
    if method is None:
        method = _other_method(parts[0])
    if host is None and version == "HTTP/1.1":
        raise malformed("the request has no Host")
    return _with_target(method, parts[1], version, headers, host)


def _bad_version(version: bytes) -> ProtocolError:
    if _VERSION.fullmatch(version) is not None:
        return ProtocolError("REQUEST_VERSION_NOT_SUPPORTED", "the gateway speaks HTTP/1.0 and HTTP/1.1")
    return malformed("the request line does not end with an HTTP version")


def _other_method(method: bytes) -> str:
    if not is_token(method):
        raise malformed("the method is not a token")
    if method == b"CONNECT":
        raise ProtocolError("REQUEST_METHOD_NOT_SUPPORTED", "the gateway serves no CONNECT")
    return method.decode("ascii")


def _with_target(method: str, target: bytes, version: str, headers: Headers, host: bytes | None) -> Request:
    shape = target_shape(target)
    if shape == NO_TARGET:
        raise bad_character()
    if shape & HAS_ESCAPE:
        check_escapes(target)
    if target[:1] != b"/":
        target, host = _other_form(method, target, host)
        shape = target_shape(target)
    mark = shape >> MARK_SHIFT
    if mark == 0:
        path, query = target.decode("ascii"), ""
    else:
        path, query = target[: mark - 1].decode("ascii"), target[mark:].decode("ascii")
    if shape & NOT_NORMAL:
        path = normalise_path(path)
    request = Request(method, path, query, version, headers)
    if host is not None:
        authority = parse_authority(host)
        request.authority = authority.text
        request.host = authority.host
    return request


def _other_form(method: str, target: bytes, host: bytes | None) -> tuple[bytes, bytes | None]:
    """Origin form and authority of an absolute or asterisk target (RFC 9112 sections 3.2.2, 3.2.4)."""
    if target == b"*" and method == "OPTIONS":
        return b"/", host
    lower = target[:8].lower()
    start = 7 if lower[:7] == b"http://" else 8 if lower == b"https://" else 0
    if start == 0:
        raise malformed("the request target is neither a path nor an absolute http URI")
    rest = target[start:]
    slash = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
    authority = rest[:slash]
    if host is not None and authority.lower() != host.lower():
        raise malformed("the absolute target and the Host disagree")
    path = rest[slash:]
    return (path if path[:1] == b"/" else b"/" + path), authority


def _framed(request: Request, fields: _Fields) -> RequestHead:
    head = RequestHead(request)
    if fields.te is not None:
        _check_chunked(fields, request.version)
        head.chunked = True
    elif fields.content_length >= 0:
        head.content_length = fields.content_length
        if fields.content_length > 0 or request.method not in ("GET", "HEAD"):
            request.headers.names.append(b"content-length")
            request.headers.lines.append(b"content-length: %d" % fields.content_length)
    head.forwarded = fields.forwarded
    head.forwarded_names = fields.forwarded_names
    if fields.expect is not None:
        if fields.expect != b"100-continue":
            raise ProtocolError("REQUEST_EXPECTATION_FAILED", "the only known expectation is 100-continue")
        head.expect_continue = request.version == "HTTP/1.1"
    if fields.connection is not None:
        _apply_connection(head, fields.connection, fields.upgrade)
    elif request.version == "HTTP/1.0":
        head.keep_alive = False
    return head


def _check_chunked(fields: _Fields, version: str) -> None:
    if fields.te != b"chunked":
        raise malformed("the only Transfer-Encoding served is chunked")
    if fields.content_length >= 0:
        raise malformed("the request has both Transfer-Encoding and Content-Length")
    if version != "HTTP/1.1":
        raise malformed("Transfer-Encoding needs HTTP/1.1")


def _apply_connection(head: RequestHead, members: list[bytes], upgrade: bytes | None) -> None:
    request = head.request
    head.keep_alive = b"close" not in members and (request.version == "HTTP/1.1" or b"keep-alive" in members)
    if upgrade and b"upgrade" in members and request.version == "HTTP/1.1":
        # h2c and the like would carry requests past every policy, inside the tunnel.
        head.upgrade = upgrade if upgrade.lower() == b"websocket" else None
    for member in members:
        if member not in (b"close", b"keep-alive", b"upgrade", b"content-length", b""):
            request.headers.discard(member)
