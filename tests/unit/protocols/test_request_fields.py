"""Fields of a client's own connection end here; what they ask for is kept beside the request."""

import pytest

from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.request import RequestHead, parse_request


def request(*lines: bytes, start: bytes = b"GET / HTTP/1.1") -> RequestHead:
    return parse_request(b"\r\n".join((start, b"Host: a.example", *lines)), 8192, 100)


def test_other_fields_keep_their_lines_and_order() -> None:
    lines = [b"User-Agent:curl ", b"X-Odd:\t a  b", b"x-odd: \xe9", b"Via: 1.1 other"]
    headers = request(*lines).request.headers
    assert headers.lines == lines
    assert headers.names == [b"user-agent", b"x-odd", b"x-odd", b"via"]


def test_the_host_travels_beside_the_fields() -> None:
    head = request()
    assert "host" not in head.request.headers
    assert head.request.authority == "a.example"


@pytest.mark.parametrize(
    "line",
    [b"Keep-Alive: timeout=5", b"TE: trailers", b"Trailer: x", b"Proxy-Connection: keep-alive",
     b"Proxy-Authorization: Basic eA==", b"Proxy-Authenticate: Basic", b"Upgrade: h2c"],
)  # fmt: skip
def test_a_hop_by_hop_field_is_taken_out(line: bytes) -> None:
    head = request(line, b"X-A: 1")
    assert head.request.headers.lines == [b"X-A: 1"]
    assert head.upgrade is None


def test_fields_that_connection_names_are_taken_out() -> None:
    head = request(b"X-A: 1", b"Connection: close, X-a", b"x-b: 2", b"connection: ,X-B", b"X-C: 3")
    assert head.request.headers.lines == [b"X-C: 3"]
    assert head.keep_alive is False


def test_connection_cannot_take_out_the_length() -> None:
    head = request(b"Content-Length: 3", b"Connection: content-length", start=b"POST / HTTP/1.1")
    assert head.content_length == 3
    assert "content-length" in head.request.headers


KEEP_ALIVE = [
    (b"HTTP/1.1", None, True),
    (b"HTTP/1.1", b"close", False),
    (b"HTTP/1.1", b"Close", False),
    (b"HTTP/1.1", b"keep-alive, close", False),
    (b"HTTP/1.1", b"x", True),
    (b"HTTP/1.0", None, False),
    (b"HTTP/1.0", b"keep-alive", True),
    (b"HTTP/1.0", b"Keep-Alive", True),
    (b"HTTP/1.0", b"x", False),
]


@pytest.mark.parametrize(("version", "connection", "kept"), KEEP_ALIVE)
def test_version_and_connection_tell_whether_the_connection_stays(
    version: bytes, connection: bytes | None, kept: bool
) -> None:
    lines = () if connection is None else (b"Connection: " + connection,)
    assert request(*lines, start=b"GET / " + version).keep_alive is kept


def test_an_upgrade_needs_the_connection_field() -> None:
    assert request(b"Upgrade: websocket").upgrade is None
    assert request(b"Upgrade: websocket", b"Connection: keep-alive, Upgrade").upgrade == b"websocket"


def test_an_upgrade_needs_http_1_1() -> None:
    lines = (b"Upgrade: websocket", b"Connection: Upgrade")
    assert request(*lines, start=b"GET / HTTP/1.0").upgrade is None


@pytest.mark.parametrize("protocol", [b"h2c", b"TLS/1.3", b"h2c, websocket", b"websocket, h2c"])
def test_a_protocol_whose_requests_would_pass_unseen_is_not_upgraded_to(protocol: bytes) -> None:
    assert request(b"Upgrade: " + protocol, b"Connection: Upgrade").upgrade is None


def test_an_expectation_is_kept_beside_the_request() -> None:
    head = request(b"Expect: 100-Continue", b"Content-Length: 3")
    assert head.expect_continue is True
    assert "expect" not in head.request.headers


def test_an_expectation_of_http_1_0_is_ignored() -> None:
    assert request(b"Expect: 100-continue", start=b"POST / HTTP/1.0").expect_continue is False


def test_another_expectation_fails() -> None:
    with pytest.raises(ProtocolError) as caught:
        request(b"Expect: 200-ok")
    assert caught.value.key == "REQUEST_EXPECTATION_FAILED"


def test_forwarding_fields_are_kept_apart() -> None:
    lines = [b"Forwarded: for=1.1.1.1", b"X-Forwarded-For: 1.1.1.1", b"X-Forwarded-Proto: https",
             b"X-Forwarded-Host: b", b"X-Forwarded-Port: 1"]  # fmt: skip
    head = request(*lines)
    assert head.request.headers.lines == []
    assert head.forwarded == lines
    assert head.forwarded_names == [line.split(b":")[0].lower() for line in lines]
