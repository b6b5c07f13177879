"""What is in doubt is answered with its error, closed, and never seen by a backend."""

import json

import pytest

from gateway_runtime.snapshot.types import Limits, ResponseTemplate

HOST = b"Host: a.example\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"

VECTORS = {
    "CL.TE": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "TE.CL": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n",
    "TE.TE": POST + b"Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n\r\n0\r\n\r\n",
    "CL.CL": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 0,44\r\n\r\n",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a tabbed coding": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "a folded field": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n Content-Length: 44\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\nHost: a.example\n\n",
    "one bare LF": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\nContent-Length: 44\r\n\r\n",
    "bare CR": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\rContent-Length: 44\r\n\r\n",
    "NUL": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\n" + HOST + b"Host: b.example\r\n\r\n",
    "another Host in the target": b"GET http://b.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a bad chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n",
    "a chunk size with a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a chunk size ended by LF": POST + b"Transfer-Encoding: chunked\r\n\r\n0\n\r\n",
    "an extension with a bare LF": POST
    + b"Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an HTTP/2 preface of another form": b"PRI * HTTP/1.1\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
async def test_a_smuggling_vector_never_reaches_the_backend(serve, backend, api, vector: bytes) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(vector + SMUGGLED)
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (400, "close")
    assert json.loads(answer.body)["key"] == "REQUEST_MALFORMED"
    client.end()
    assert await client.lost()
    assert backend.count == 0
    assert sum(stats.errors.get("REQUEST_MALFORMED", 0) for stats in service.stats.apis.values()) == 1


REFUSALS = {
    "a long request line": (b"GET /" + b"a" * 200 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a request line that does not end": (b"GET /" + b"a" * 200, 414),
    "a long field": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 500 + b"\r\n\r\n", 431),
    "fields that do not end": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 500, 431),
    "many fields": (b"GET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n" * 10 + b"\r\n", 431),
    "another version": (b"GET / HTTP/3.0\r\n" + HOST + b"\r\n", 505),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "another expectation": (b"GET / HTTP/1.1\r\n" + HOST + b"Expect: x\r\n\r\n", 417),
}


@pytest.mark.parametrize(("data", "status"), REFUSALS.values(), ids=REFUSALS.keys())
async def test_what_is_too_much_or_not_served_is_told_so(
    serve, backend, api, data: bytes, status: int
) -> None:
    limits = Limits(request_line=100, header_bytes=400, header_count=10)
    service = await serve(api(backend.url), limits=limits)
    client = await service.connect()
    client.send(data)
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (status, "close")
    assert json.loads(answer.body)["status"] == status
    assert answer.header("date") is not None
    client.end()
    assert await client.lost()
    assert backend.count == 0
    assert service.stats.api("-").statuses == {status: 1}


@pytest.mark.parametrize("framing", [b"Content-Length: 11", b"Transfer-Encoding: chunked"])
async def test_a_body_too_large_gets_the_apis_template(serve, backend, api, framing: bytes) -> None:
    template = {"REQUEST_BODY_TOO_LARGE": {"*/*": ResponseTemplate(status=499, body="too big")}}
    service = await serve(api(backend.url, response_templates=template), limits=Limits(body=10))
    body = b"b\r\nhello world\r\n0\r\n\r\n" if b"chunked" in framing else b"hello world"
    client = await service.connect()
    client.send(POST + framing + b"\r\n\r\n" + body)
    answer = await client.answer()
    assert (answer.status, answer.body, answer.header("connection")) == (499, b"too big", "close")
    assert service.stats.api("shop/api").errors == {"REQUEST_BODY_TOO_LARGE": 1}
    assert backend.count == 0
