"""Requests whose framing is in doubt are refused (RFC 9112); proper ones tell how their body is framed."""

import pytest

from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.request import RequestHead, parse_request


def request(*lines: bytes, start: bytes = b"POST /orders HTTP/1.1") -> RequestHead:
    return parse_request(b"\r\n".join((start, *lines)), 8192, 100)


def refusal(*lines: bytes, start: bytes = b"POST /orders HTTP/1.1") -> str:
    with pytest.raises(ProtocolError) as caught:
        request(*lines, start=start)
    return caught.value.key


HOST = b"Host: a.example"

IN_DOUBT = {
    "two lengths that disagree": (b"Content-Length: 3", b"Content-Length: 4"),
    "two lengths that agree": (b"Content-Length: 3", b"Content-Length: 3"),
    "two lengths spelt differently": (b"Content-Length: 3", b"content-LENGTH: 3"),
    "a list of lengths": (b"Content-Length: 3, 3",),
    "a length with a sign": (b"Content-Length: +3",),
    "a negative length": (b"Content-Length: -3",),
    "a hexadecimal length": (b"Content-Length: 0x3",),
    "an empty length": (b"Content-Length:",),
    "a length with a space in it": (b"Content-Length: 1 2",),
    "a length with an underscore": (b"Content-Length: 1_0",),
    "a length with digits of another script": (b"Content-Length: \xb2",),
    "a length beyond 64 bits": (b"Content-Length: 18446744073709551617",),
    "chunked beside a length": (b"Transfer-Encoding: chunked", b"Content-Length: 3"),
    "a length beside chunked": (b"Content-Length: 3", b"Transfer-Encoding: chunked"),
    "identity": (b"Transfer-Encoding: identity",),
    "gzip before chunked": (b"Transfer-Encoding: gzip, chunked",),
    "chunked before identity": (b"Transfer-Encoding: chunked, identity",),
    "chunked twice in a line": (b"Transfer-Encoding: chunked, chunked",),
    "chunked twice in two lines": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "chunked in quotes": (b'Transfer-Encoding: "chunked"',),
    "chunked with a parameter": (b"Transfer-Encoding: chunked;q=1",),
    "an empty coding": (b"Transfer-Encoding:",),
    "a misspelt coding": (b"Transfer-Encoding: xchunked",),
    "a vertical tab before chunked": (b"Transfer-Encoding: \x0bchunked",),
    "a space before the colon": (b"Transfer-Encoding : chunked",),
    "a tab before the colon": (b"Content-Length\t: 3",),
    "a folded field": (b"X-A: 1", b" 2"),
    "a field folded by a tab": (b"X-A: 1", b"\t2"),
    "a fold that hides a coding": (b"X-A: 1", b" Transfer-Encoding: chunked"),
    "a space before the first field": (b" X-A: 1",),
    "a line without a colon": (b"X-A",),
    "a field without a name": (b": 1",),
    "a name with a space": (b"X A: 1",),
    "a name with a slash": (b"X/A: 1",),
    "a name with obs-text": (b"X-\xe9: 1",),
    "a NUL in a value": (b"X-A: 1\x002",),
    "a bare LF in a value": (b"X-A: 1\nContent-Length: 3",),
    "a bare CR in a value": (b"X-A: 1\rContent-Length: 3",),
    "a CR before the CRLF": (b"X-A: 1\r",),
    "a control character in a value": (b"X-A: \x01",),
    "a DEL in a value": (b"X-A: \x7f",),
    "an empty line in the head": (b"X-A: 1", b"", b"X-B: 2"),
}


@pytest.mark.parametrize("lines", IN_DOUBT.values(), ids=IN_DOUBT.keys())
def test_a_request_in_doubt_is_malformed(lines: tuple[bytes, ...]) -> None:
    assert refusal(HOST, *lines) == "REQUEST_MALFORMED"


def test_a_coding_needs_http_1_1() -> None:
    key = refusal(HOST, b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.0")
    assert key == "REQUEST_MALFORMED"


def test_a_body_of_a_length() -> None:
    head = request(HOST, b"Content-Length: \t12 ")
    assert (head.content_length, head.chunked) == (12, False)
    assert head.request.headers.find_all(b"content-length") == [b"12"]


def test_a_chunked_body() -> None:
    head = request(HOST, b"Transfer-Encoding: Chunked")
    assert (head.content_length, head.chunked) == (0, True)
    assert "transfer-encoding" not in head.request.headers


def test_no_framing_fields_mean_no_body() -> None:
    head = request(HOST)
    assert (head.content_length, head.chunked) == (0, False)


@pytest.mark.parametrize("method", [b"POST", b"PUT"])
def test_an_empty_body_stays_declared_where_the_method_expects_one(method: bytes) -> None:
    head = request(HOST, b"Content-Length: 0", start=method + b" / HTTP/1.1")
    assert head.request.headers.find(b"content-length") == b"0"


START_LINES = {
    b"GET / HTTP/2.0": "REQUEST_VERSION_NOT_SUPPORTED",
    b"GET / HTTP/1.2": "REQUEST_VERSION_NOT_SUPPORTED",
    b"GET / HTTP/0.9": "REQUEST_VERSION_NOT_SUPPORTED",
    b"GET / http/1.1": "REQUEST_MALFORMED",
    b"GET / HTTP/1": "REQUEST_MALFORMED",
    b"GET / HTTP/1.10": "REQUEST_MALFORMED",
    b"GET / HTTP/a.b": "REQUEST_MALFORMED",
    b"GET / HTTP/1,1": "REQUEST_MALFORMED",
    b"GET / HTTP/2x0": "REQUEST_MALFORMED",
    b"GET / ": "REQUEST_MALFORMED",
    b"GET /": "REQUEST_MALFORMED",
    b"": "REQUEST_MALFORMED",
    b"GET  / HTTP/1.1": "REQUEST_MALFORMED",
    b" GET / HTTP/1.1": "REQUEST_MALFORMED",
    b"GET / HTTP/1.1 ": "REQUEST_MALFORMED",
    b"GET\t/\tHTTP/1.1": "REQUEST_MALFORMED",
    b"GET / x HTTP/1.1": "REQUEST_MALFORMED",
    b"G(T / HTTP/1.1": "REQUEST_MALFORMED",
    b"\xff\xfe / HTTP/1.1": "REQUEST_MALFORMED",
    b"CONNECT a.example:443 HTTP/1.1": "REQUEST_METHOD_NOT_SUPPORTED",
    b"CONNECT / HTTP/1.1": "REQUEST_METHOD_NOT_SUPPORTED",
    b"PRI * HTTP/2.0": "REQUEST_VERSION_NOT_SUPPORTED",
}


@pytest.mark.parametrize(("start", "key"), START_LINES.items())
def test_a_wrong_request_line_is_told_apart(start: bytes, key: str) -> None:
    assert refusal(HOST, start=start) == key


def test_a_method_of_another_specification_is_served() -> None:
    assert request(HOST, start=b"PROPFIND / HTTP/1.1").request.method == "PROPFIND"


def test_methods_tell_case_apart() -> None:
    assert request(HOST, start=b"get / HTTP/1.1").request.method == "get"


def test_a_request_line_at_the_limit_passes_and_one_byte_more_is_too_long() -> None:
    line = b"GET /%b HTTP/1.1" % (b"a" * 100)
    head = line + b"\r\n" + HOST
    assert parse_request(head, len(line), 10).request.path == "/" + "a" * 100
    with pytest.raises(ProtocolError) as caught:
        parse_request(head, len(line) - 1, 10)
    assert caught.value.key == "REQUEST_LINE_TOO_LONG"


def test_one_field_more_than_the_limit_is_too_large() -> None:
    lines = [b"GET / HTTP/1.1", HOST, b"a: 1", b"b: 2"]
    assert len(parse_request(b"\r\n".join(lines), 100, 3).request.headers) == 2
    with pytest.raises(ProtocolError) as caught:
        parse_request(b"\r\n".join([*lines, b"c: 3"]), 100, 3)
    assert caught.value.key == "REQUEST_HEADERS_TOO_LARGE"
