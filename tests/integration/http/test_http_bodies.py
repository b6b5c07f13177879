"""Bodies on their way: framing, trailers, expectations, limits."""

import pytest

from gateway_runtime.snapshot.types import Flow, Limits, Step

POST = b"POST / HTTP/1.1\r\nHost: a.example\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OBJECT = Flow(request=(Step(policy="jsonValidation", configuration={"schema": {"type": "object"}}),))
OBJECT_BACK = Flow(response=(Step(policy="jsonValidation", configuration={"schema": {"type": "object"}}),))


async def test_a_body_reaches_the_backend_before_it_is_complete(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(POST + b"Content-Length: 10\r\n\r\n01234")
    peer = await backend.accept()
    assert b"\r\ncontent-length: 10\r\n" in await peer.until()
    assert await peer.exactly(5) == b"01234"
    client.send(b"56789")
    assert await peer.exactly(5) == b"56789"
    peer.send(OK)
    assert (await client.answer()).status == 200


async def test_a_response_reaches_the_client_before_it_is_complete(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    peer = await backend.accept()
    await peer.until()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
    assert (await client.until()).startswith(b"HTTP/1.1 200 OK")
    assert await client.exactly(3) == b"abc"
    peer.send(b"def")
    assert await client.exactly(3) == b"def"


async def test_chunks_and_trailers_pass_both_ways(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    peer = await backend.accept()
    assert b"\r\ntransfer-encoding: chunked\r\n" in await peer.until()
    client.send(b"5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n")
    assert await peer.until(b"0\r\nX-Sum: 1\r\n\r\n") == b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"
    peer.send(CHUNKED + b"2;a\r\nok\r\n")
    head = await client.until()
    assert b"\r\ntransfer-encoding: chunked\r\n" in head
    assert await client.exactly(7) == b"2\r\nok\r\n"
    peer.send(b"0\r\nX-Sum: 2\r\nSet-Cookie: a=b\r\n\r\n")
    assert await client.until() == b"0\r\nX-Sum: 2\r\n\r\n"


@pytest.mark.parametrize("body", [b"0\r\n\r\n", b"2\r\nok\r\n0\r\n\r\n", b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"])
async def test_a_chunked_body_that_comes_with_its_head_is_ended(serve, backend, api, body: bytes) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    peer = None
    for _ in range(2):  # once while the backend is connected to, once on the kept connection
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        peer = peer or await backend.accept()
        await peer.until()
        assert await peer.exactly(len(body)) == body
        peer.send(OK)
        assert (await client.answer()).status == 200


async def test_a_response_without_framing_is_chunked_to_the_client(serve, backend, api) -> None:
    async def handler(peer) -> None:
        await peer.until()
        peer.send(b"HTTP/1.0 200 OK\r\n\r\nhello")
        await peer.flushed()
        peer.close()

    backend.does(handler)
    service = await serve(api(backend.url))
    client = await service.connect()
    for _ in range(2):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await client.answer()
        assert (answer.body, answer.header("transfer-encoding")) == (b"hello", "chunked")


async def test_an_expectation_is_the_backends_to_meet(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    peer = await backend.accept()
    assert b"\r\nexpect: 100-continue\r\n" in await peer.until()
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert (await client.answer()).status == 100
    client.send(b"hello")
    assert await peer.exactly(5) == b"hello"
    peer.send(OK)
    assert (await client.answer()).status == 200


async def test_a_backend_may_refuse_before_the_body_is_sent(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    peer = await backend.accept()
    await peer.until()
    peer.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (401, "close")
    assert await peer.lost()


async def test_the_gateway_meets_an_expectation_where_a_policy_wants_the_body(serve, backend, api) -> None:
    service = await serve(api(backend.url, flows=(OBJECT,)))
    client = await service.connect()
    client.send(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert (await client.answer()).status == 100
    client.send(b"{}")
    peer = await backend.accept()
    head = await peer.until()
    assert b"expect" not in head
    assert await peer.exactly(2) == b"{}"
    peer.send(OK)
    assert (await client.answer()).status == 200


async def test_a_body_that_a_policy_checks_goes_on_whole(serve, backend, api) -> None:
    service = await serve(api(backend.url, flows=(OBJECT,)))
    client = await service.connect()
    client.send(POST + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n')
    client.send(b"2\r\n1}\r\n0\r\n\r\n")
    peer = await backend.accept()
    head = await peer.until()
    assert b"\r\ncontent-length: 7\r\n" in head
    assert b"transfer-encoding" not in head
    assert await peer.exactly(7) == b'{"a":1}'
    peer.send(OK)
    assert (await client.answer()).status == 200


async def test_a_body_that_a_policy_refuses_never_reaches_the_backend(serve, backend, api) -> None:
    service = await serve(api(backend.url, flows=(OBJECT,)))
    answer = await service.ask(POST + b"Content-Length: 2\r\n\r\n[]")
    assert answer.status == 400
    assert b"JSON_INVALID_PAYLOAD" in answer.body
    assert backend.count == 0


async def test_a_body_too_large_to_buffer_is_refused(serve, backend, api) -> None:
    service = await serve(api(backend.url, flows=(OBJECT,)), limits=Limits(buffered_body=10))
    answer = await service.ask(POST + b"Content-Length: 11\r\n\r\n" + b"[         ]")
    assert answer.status == 413
    assert backend.count == 0
    assert service.stats.api("shop/api").errors == {"REQUEST_BODY_TOO_LARGE": 1}


async def test_a_response_that_a_policy_checks_comes_whole(serve, backend, api) -> None:
    backend.answers(CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
    service = await serve(api(backend.url, flows=(OBJECT_BACK,)))
    client = await service.connect()
    for _ in range(2):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await client.answer()
        assert (answer.body, answer.header("content-length")) == (b"{}", "2")


async def test_a_response_too_large_to_buffer_is_an_invalid_one(serve, backend, api) -> None:
    backend.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n[         ]")
    service = await serve(api(backend.url, flows=(OBJECT_BACK,)), limits=Limits(buffered_body=10))
    answer = await service.get()
    assert (answer.status, b"UPSTREAM_RESPONSE_INVALID" in answer.body) == (502, True)


async def test_a_backend_that_dies_while_its_response_is_buffered_has_failed(serve, backend, api) -> None:
    async def handler(peer) -> None:
        await peer.until()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
        await peer.flushed()
        peer.close()

    backend.does(handler)
    service = await serve(api(backend.url, flows=(OBJECT_BACK,)))
    answer = await service.get()
    assert (answer.status, b"UPSTREAM_CONNECTION_CLOSED" in answer.body) == (502, True)


@pytest.mark.parametrize("framing", [b"Content-Length: 11", b"Transfer-Encoding: chunked"])
async def test_a_body_beyond_the_limit_is_refused(serve, backend, api, framing: bytes) -> None:
    service = await serve(api(backend.url), limits=Limits(body=10))
    client = await service.connect()
    client.send(POST + framing + b"\r\n\r\n" + (b"b\r\n" if b"chunked" in framing else b"") + b"x" * 11)
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (413, "close")
    assert b"REQUEST_BODY_TOO_LARGE" in answer.body
    client.end()
    assert await client.lost()


async def test_a_body_at_the_limit_passes(serve, backend, api) -> None:
    service = await serve(api(backend.url), limits=Limits(body=10))
    client = await service.connect()
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n")
    peer = await backend.accept()
    await peer.until(b"0123456789\r\n0\r\n\r\n")
    peer.send(OK)
    assert (await client.answer()).status == 200


async def test_a_body_that_breaks_off_amid_its_chunks_is_not_completed(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    peer = await backend.accept()
    await peer.until(b"hello\r\n")
    client.send(b"x\r\n")
    answer = await client.answer()
    assert (answer.status, answer.header("connection")) == (400, "close")
    assert await peer.lost()


async def test_an_early_response_ends_the_upload(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(POST + b"Content-Length: 1000\r\n\r\npart")
    peer = await backend.accept()
    await peer.until(b"part")
    peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
    answer = await client.answer()
    assert (answer.status, answer.body, answer.header("connection")) == (413, b"no", "close")
    assert await peer.lost()


async def test_an_error_reaches_a_client_that_still_sends(serve) -> None:
    service = await serve()
    client = await service.connect()
    client.send(POST + b"Content-Length: 300000\r\n\r\n")
    answer = await client.answer()
    assert answer.status == 404
    client.send(b"x" * 300000)
    await client.flushed()
    client.end()
    assert await client.rest() == b""


CHANGES = [(200, 204), (200, 304), (204, 200), (304, 200)]


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize(("before", "after"), CHANGES)
async def test_a_changed_status_keeps_the_framing_sound(
    serve, backend, api, before: int, after: int, framing: str
) -> None:
    if before != 200:
        backend.answers(b"HTTP/1.1 %d X\r\n\r\n" % before)
    else:
        backend.answers(OK if framing == "length" else CHUNKED + b"2\r\nok\r\n0\r\n\r\n")
    mapping = {"mappings": [{"from": before, "to": after}]}
    flow = Flow(response=(Step(policy="transformStatusCode", configuration=mapping),))
    service = await serve(api(backend.url, flows=(flow,)))
    client = await service.connect()
    for _ in range(2):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.body) == (after, b"")
        if after == 200:
            assert answer.header("content-length") == "0"
        else:
            assert answer.header("transfer-encoding") is None
