"""A backend's response head: how its body ends, and what is refused."""

import pytest

from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.response import UNTIL_CLOSE, ResponseHead, check_begun, parse_response


def response(*lines: bytes, start: bytes = b"HTTP/1.1 200 OK", to_head: bool = False) -> ResponseHead:
    return parse_response(b"\r\n".join((start, *lines)), to_head)


BROKEN = {
    "no status line": (b"garbage",),
    "another protocol": (b"RTSP/1.0 200 OK",),
    "another version": (b"HTTP/2.0 200 OK",),
    "a status of two digits": (b"HTTP/1.1 20 OK",),
    "a status of four digits": (b"HTTP/1.1 2000 OK",),
    "a status below the classes": (b"HTTP/1.1 099 No",),
    "a status above the classes": (b"HTTP/1.1 600 No",),
    "a status with letters": (b"HTTP/1.1 2x0 OK",),
    "two spaces": (b"HTTP/1.1  200 OK",),
    "two lengths": (b"HTTP/1.1 200 OK", b"Content-Length: 3", b"Content-Length: 3"),
    "a list of lengths": (b"HTTP/1.1 200 OK", b"Content-Length: 3, 4"),
    "a length that is no number": (b"HTTP/1.1 200 OK", b"Content-Length: x"),
    "chunked beside a length": (b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", b"Content-Length: 3"),
    "another coding": (b"HTTP/1.1 200 OK", b"Transfer-Encoding: gzip, chunked"),
    "chunked twice": (b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "a folded field": (b"HTTP/1.1 200 OK", b"X-A: 1", b" 2"),
    "a space before the colon": (b"HTTP/1.1 200 OK", b"Content-Length : 3"),
    "a line without a colon": (b"HTTP/1.1 200 OK", b"X-A"),
    "a bare LF": (b"HTTP/1.1 200 OK", b"X-A: 1\nX-B: 2"),
    "a bare CR": (b"HTTP/1.1 200 OK", b"X-A: 1\rX-B: 2"),
    "a NUL": (b"HTTP/1.1 200 OK", b"X-A: \x00"),
    "a control character in the reason": (b"HTTP/1.1 200 O\x01K",),
}


@pytest.mark.parametrize("lines", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_response_is_invalid(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_response(b"\r\n".join(lines), False)
    assert caught.value.key == "UPSTREAM_RESPONSE_INVALID"


def test_a_body_of_a_length_keeps_the_connection() -> None:
    head = response(b"Content-Length: 3")
    assert (head.content_length, head.chunked, head.keep_alive) == (3, False, True)
    assert head.response.headers.lines == [b"Content-Length: 3"]


def test_a_chunked_body_keeps_the_connection() -> None:
    head = response(b"Transfer-Encoding: chunked")
    assert (head.chunked, head.keep_alive) == (True, True)
    assert head.response.headers.lines == []


def test_a_chunked_body_of_http_1_0_ends_the_connection() -> None:
    head = response(b"Transfer-Encoding: chunked", b"Connection: keep-alive", start=b"HTTP/1.0 200 OK")
    assert (head.chunked, head.keep_alive) == (True, False)


def test_a_body_without_framing_ends_with_the_connection() -> None:
    head = response()
    assert (head.content_length, head.chunked, head.keep_alive) == (UNTIL_CLOSE, False, False)


@pytest.mark.parametrize("framing", [b"Content-Length: 3", b"Transfer-Encoding: chunked", b"X-A: 1"])
@pytest.mark.parametrize("status", [b"101 Switching Protocols", b"103 Early Hints", b"204 No Content"])
def test_some_statuses_have_neither_body_nor_length(status: bytes, framing: bytes) -> None:
    head = response(framing, start=b"HTTP/1.1 " + status)
    assert (head.content_length, head.chunked) == (0, False)
    assert "content-length" not in head.response.headers


def test_not_modified_has_no_body_but_keeps_the_length_of_what_it_stands_for() -> None:
    head = response(b"Content-Length: 3", start=b"HTTP/1.1 304 Not Modified")
    assert (head.content_length, head.keep_alive) == (0, True)
    assert head.response.headers.find(b"content-length") == b"3"


@pytest.mark.parametrize("framing", [b"Content-Length: 3", b"Transfer-Encoding: chunked", b"X-A: 1"])
def test_the_response_to_head_has_no_body(framing: bytes) -> None:
    head = response(framing, to_head=True)
    assert (head.content_length, head.chunked, head.keep_alive) == (0, False, True)


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [(b"1.1", b"close", False), (b"1.1", b"Close, x", False), (b"1.0", b"keep-alive", True),
     (b"1.0", b"x", False), (b"1.1", b"keep-alive", True)],
)  # fmt: skip
def test_version_and_connection_tell_whether_the_backend_serves_again(
    version: bytes, connection: bytes, kept: bool
) -> None:
    lines = (b"Content-Length: 0", b"Connection: " + connection)
    assert response(*lines, start=b"HTTP/%b 200 OK" % version).keep_alive is kept


def test_hop_by_hop_fields_and_those_that_connection_names_are_taken_out() -> None:
    head = response(b"Keep-Alive: timeout=5", b"X-A: 1", b"Connection: x-a", b"X-B: 2", b"Trailer: x",
                    b"Proxy-Authenticate: Basic", b"Upgrade: websocket")  # fmt: skip
    assert head.response.headers.lines == [b"X-B: 2"]


@pytest.mark.parametrize(
    ("start", "reason"),
    [(b"HTTP/1.1 200 Fine, really", b"Fine, really"), (b"HTTP/1.1 200 ", b""), (b"HTTP/1.1 200", b"")],
)
def test_a_reason_may_be_anything_or_nothing(start: bytes, reason: bytes) -> None:
    head = response(start=start)
    assert (head.response.status, head.response.reason) == (200, reason)


@pytest.mark.parametrize("data", [b"220 mail", b"HTTP/2", b"X", b"\r\n", b"HTTP/1.1 200 OK\nA: b"])
def test_a_beginning_that_can_become_no_head_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        check_begun(data)


@pytest.mark.parametrize("end", range(len(b"HTTP/1.1 200 OK\r\nA: b\r\n")))
def test_any_beginning_of_a_head_is_waited_for(end: int) -> None:
    check_begun(b"HTTP/1.1 200 OK\r\nA: b\r\n"[:end])
