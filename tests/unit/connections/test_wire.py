"""Heads as they go on the wire."""

import pytest

from gateway_runtime.connections.wire import CHUNKED, CLOSE, request_head, response_bytes, status_line
from gateway_runtime.exchange import Headers, Request, Response
from gateway_runtime.program.endpoints import EndpointProgram


def request(path: str, query: str, *lines: bytes) -> Request:
    return Request("GET", path, query, "HTTP/1.1", Headers([line.split(b":")[0] for line in lines], [*lines]))


def test_a_request_carries_the_endpoints_host_and_base_path() -> None:
    endpoint = EndpointProgram("e", "http://b.example:8080/v1/", [])
    assert request_head(request("/a", "x=1"), [b"y: 2"], endpoint, CHUNKED) == (
        b"GET /v1/a?x=1 HTTP/1.1\r\nhost: b.example:8080\r\ny: 2\r\ntransfer-encoding: chunked\r\n\r\n"
    )


@pytest.mark.parametrize("extra", [b"", CHUNKED])
def test_a_request_without_fields_does_not_end_early(extra: bytes) -> None:
    head = request_head(request("/", ""), [], EndpointProgram("e", "http://b.example", []), extra)
    assert head == b"GET / HTTP/1.1\r\nhost: b.example" + extra + b"\r\n\r\n"


def test_a_response_names_this_gateway() -> None:
    response = Response(200, b"OK", Headers([b"x"], [b"x: 1"]))
    assert response_bytes(response, CLOSE, b"", b"") == (
        b"HTTP/1.1 200 OK\r\nx: 1\r\nvia: 1.1 penstock\r\nconnection: close\r\n\r\n"
    )


def test_a_response_without_fields_does_not_end_early() -> None:
    response = Response(204, b"", Headers([], []))
    assert response_bytes(response, b"", b"", b"") == b"HTTP/1.1 204 No Content\r\nvia: 1.1 penstock\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [(200, b"", b"HTTP/1.1 200 OK"), (200, b"Fine", b"HTTP/1.1 200 Fine"), (299, b"", b"HTTP/1.1 299 ")],
)
def test_a_reason_passes_as_it_came(status: int, reason: bytes, line: bytes) -> None:
    assert status_line(status, reason) == line
