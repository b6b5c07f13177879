"""Backends that are dead, slow, stale or wrong: the right error, never a hang, never a wrong retry."""

import asyncio
import json
import socket

import pytest

from gateway_runtime.snapshot.types import Endpoint, EndpointGroup

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def key(body: bytes) -> str:
    return str(json.loads(body)["key"])


@pytest.fixture
def dead():
    """The URL of a port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


async def test_a_dead_backend_cannot_be_reached(serve, api, dead) -> None:
    service = await serve(api(dead))
    answer = await service.get()
    assert (answer.status, key(answer.body)) == (502, "UPSTREAM_CONNECTION_FAILED")
    assert service.stats.api("shop/api").errors == {"UPSTREAM_CONNECTION_FAILED": 1}


async def test_a_client_stays_connected_when_a_backend_is_dead(serve, api, dead) -> None:
    service = await serve(api(dead))
    client = await service.connect()
    for _ in range(2):
        client.send(GET)
        assert (await client.answer()).status == 502


async def test_requests_go_round_the_endpoints(serve, backend, other, api) -> None:
    backend.answers()
    other.answers()
    service = await serve(api(backend.url, other.url))
    for _ in range(6):
        assert (await service.get()).status == 200
    assert (len(backend.heads), len(other.heads)) == (3, 3)


async def test_where_one_endpoint_is_dead_the_next_is_asked(serve, backend, api, dead) -> None:
    backend.answers()
    service = await serve(api(dead, backend.url))
    answers = await asyncio.gather(*(service.get() for _ in range(20)))
    assert {answer.status for answer in answers} == {200}


async def test_where_all_endpoints_are_dead_the_request_fails(serve, api, dead) -> None:
    service = await serve(api(dead, dead, dead))
    assert (await service.get()).status == 502


@pytest.fixture
async def deaf():
    """The URL of a listener whose accept queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for filler in fillers:
            filler.close()


async def test_a_backend_that_does_not_accept_times_out(serve, api, deaf) -> None:
    service = await serve(api(deaf, connect_timeout=0.2))
    answer = await service.get()
    assert (answer.status, key(answer.body)) == (504, "UPSTREAM_CONNECT_TIMEOUT")


async def test_where_one_endpoint_does_not_accept_the_next_is_asked(serve, backend, api, deaf) -> None:
    backend.answers()
    service = await serve(api(deaf, backend.url, connect_timeout=0.2))
    assert (await service.get()).status == 200


async def test_a_backend_that_does_not_answer_times_out(serve, backend, api) -> None:
    service = await serve(api(backend.url, response_timeout=0.2))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    answer = await client.answer()
    assert (answer.status, key(answer.body)) == (504, "UPSTREAM_RESPONSE_TIMEOUT")
    assert await peer.lost()


async def test_a_backend_that_stalls_amid_its_response_is_cut(serve, backend, api) -> None:
    service = await serve(api(backend.url, response_timeout=0.2))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    assert (await client.until()).startswith(b"HTTP/1.1 200")
    assert await client.exactly(3) == b"abc"
    assert await client.lost()
    assert await peer.lost()


async def test_a_backend_that_closes_before_it_answers_has_failed(serve, backend, api) -> None:
    async def handler(peer) -> None:
        await peer.until()
        peer.close()

    backend.does(handler)
    service = await serve(api(backend.url))
    answer = await service.get()
    assert (answer.status, key(answer.body)) == (502, "UPSTREAM_CONNECTION_CLOSED")
    assert backend.count == 1


async def test_a_backend_that_closes_as_soon_as_it_accepts_has_failed(serve, backend, api) -> None:
    async def handler(peer) -> None:
        peer.reset()

    backend.does(handler)
    service = await serve(api(backend.url, response_timeout=60.0))
    for _ in range(5):
        assert (await service.get()).status == 502
    assert service.stats.upstream_connections_open == 0


BROKEN_OFF = {
    "amid a length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "amid a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc",
    "between chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "before the end of the trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n0\r\n",
}


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("response", BROKEN_OFF.values(), ids=BROKEN_OFF.keys())
async def test_a_response_that_breaks_off_never_looks_whole(
    serve, backend, api, response: bytes, version: bytes, reset: bool
) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"GET / HTTP/%b\r\nHost: a\r\n\r\n" % version)
    peer = await backend.accept()
    await peer.until()
    peer.send(response)
    head = await client.until()
    while b"abc" not in head:
        head += await client.exactly(1)
    peer.reset() if reset else peer.close()
    try:
        rest = await client.rest()
    except ConnectionError:
        return  # a reset cannot be taken for an end
    assert not rest.endswith(b"0\r\n\r\n")
    assert b"chunked" in head or b"Content-Length: 10" in head


async def test_a_response_ended_by_a_reset_is_not_whole(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
    await client.until(b"3\r\nabc\r\n")
    peer.reset()
    assert await client.lost()


GARBAGE = {
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "no HTTP, with an empty line": b"garbage\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n",
    "a coding and a length": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000,
    "a switch that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    b"Connection: upgrade\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_from_a_backend_is_an_invalid_response(serve, backend, api, garbage: bytes) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    peer.send(garbage)
    answer = await client.answer()
    assert (answer.status, key(answer.body)) == (502, "UPSTREAM_RESPONSE_INVALID")
    assert await peer.lost()


@pytest.mark.parametrize("first", [OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", OK + b"x"])
async def test_bytes_behind_a_response_are_nobodys_answer(serve, backend, api, first: bytes) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    peer.send(first)
    assert (await client.answer()).body == b"ok"
    assert await peer.lost()
    client.send(GET)
    second = await backend.accept()
    await second.until()
    second.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
    assert (await client.answer()).body == b"good"


async def test_bytes_on_an_idle_connection_end_it(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    peer.send(OK)
    await client.answer()
    peer.send(OK)
    assert await peer.lost()
    assert service.stats.upstream_connections_open == 0


async def stale(service, backend):
    """A client whose backend connection is kept, and the backend's end of it."""
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    peer.send(OK)
    await client.answer()
    return client, peer


async def test_a_stale_connection_is_retried_once_for_an_idempotent_request(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client, peer = await stale(service, backend)
    client.send(GET)
    await peer.until()
    peer.close()
    fresh = await backend.accept()
    await fresh.until()
    fresh.send(OK)
    assert (await client.answer()).status == 200
    assert service.stats.upstream_retries == 1


async def test_a_retry_sends_the_body_again(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client, peer = await stale(service, backend)
    client.send(
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n"
    )
    await peer.until()
    peer.close()
    fresh = await backend.accept()
    assert (await fresh.until(b"2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n")).startswith(b"PUT / HTTP/1.1\r\n")
    fresh.send(OK)
    assert (await client.answer()).status == 200


async def test_a_second_failure_is_not_retried(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client, peer = await stale(service, backend)
    client.send(GET)
    await peer.until()
    peer.close()
    fresh = await backend.accept()
    await fresh.until()
    fresh.close()
    assert (await client.answer()).status == 502
    assert backend.count == 2


async def test_a_request_that_is_not_idempotent_is_not_retried(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client, peer = await stale(service, backend)
    client.send(POST)
    await peer.until()
    peer.close()
    answer = await client.answer()
    assert (answer.status, key(answer.body)) == (502, "UPSTREAM_CONNECTION_CLOSED")
    assert (backend.count, service.stats.upstream_retries) == (1, 0)


@pytest.mark.parametrize("part", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
async def test_nothing_is_retried_after_a_byte_of_the_response(serve, backend, api, part: bytes) -> None:
    service = await serve(api(backend.url))
    client, peer = await stale(service, backend)
    client.send(GET)
    await peer.until()
    peer.send(part)
    await peer.flushed()
    peer.close()
    answer = await client.answer()
    if answer.status == 103:
        answer = await client.answer()
    assert answer.status == 502
    assert backend.count == 1


async def test_a_kept_connection_that_the_backend_has_closed_is_not_used(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client, peer = await stale(service, backend)
    peer.close()
    assert await peer.lost()
    client.send(POST)
    fresh = await backend.accept()
    await fresh.until()
    fresh.send(OK)
    assert (await client.answer()).status == 200


async def test_a_backend_that_closes_its_connection_is_connected_to_anew(serve, backend, api) -> None:
    async def handler(peer) -> None:
        await peer.until()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")

    backend.does(handler)
    service = await serve(api(backend.url))
    for _ in range(3):
        assert (await service.get()).status == 200
    assert backend.count == 3


async def test_a_client_that_disappears_takes_its_backend_connection_along(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    client.reset()
    assert await peer.lost()
    assert service.stats.api("shop/api").statuses == {499: 1}


async def test_a_client_that_disappears_amid_its_upload_leaves_no_whole_request(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
    peer = await backend.accept()
    await peer.until(b"2\r\nhi\r\n")
    client.close()
    assert await peer.lost()


async def test_clients_that_disappear_while_their_backend_is_connected_to_leave_nothing(
    serve, backend, api
) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    for _ in range(30):
        client = await service.connect()
        client.send(GET)
        client.reset()
    assert (await service.get()).status == 200
    pool = next(iter(service.gateway._pools.values()))
    async with asyncio.timeout(5):
        while pool.open != len(pool.idle) or service.stats.connections_open:
            await asyncio.sleep(0.01)
    assert service.stats.upstream_connections_open == pool.open


async def test_the_headers_of_an_endpoint_are_for_no_other(serve, backend, api, dead) -> None:
    backend.answers()
    endpoints = (
        Endpoint(name="dead", url=dead, headers={"Authorization": "Bearer its-own", "X-A": "1"}),
        Endpoint(name="live", url=backend.url, headers={"X-B": "{#request.headers['authorization']}"}),
    )
    service = await serve(api(endpoint_groups=(EndpointGroup(name="g", endpoints=endpoints),)))
    assert (await service.get("/", "Authorization: Basic theirs")).status == 200
    head = backend.heads[0]
    assert b"its-own" not in head
    assert b"\r\nAuthorization: Basic theirs\r\n" in head
    assert b"\r\nX-B: Basic theirs" in head


async def test_an_endpoint_header_that_cannot_be_made_fails_the_request_alone(serve, backend, api) -> None:
    backend.answers()
    endpoint = Endpoint(name="e", url=backend.url, headers={"X-A": "{#request.headers['x-a'] + 1}"})
    service = await serve(api(endpoint_groups=(EndpointGroup(name="g", endpoints=(endpoint,)),)))
    client = await service.connect()
    for _ in range(2):
        client.send(GET)
        answer = await client.answer()
        assert (answer.status, key(answer.body)) == (500, "GATEWAY_POLICY_FAILED")
    assert (backend.heads, backend.count) == ([], 1)


async def test_after_a_stale_connection_a_dead_endpoint_gives_way_to_the_next(
    serve, backend, other, api
) -> None:
    other.answers()
    service = await serve(api(backend.url, other.url))
    client, peer = await stale(service, backend)
    client.send(GET)
    assert (await client.answer()).status == 200  # the other endpoint's turn
    client.send(GET)
    await peer.until()
    backend.stop_accepting()
    peer.close()
    assert (await client.answer()).status == 200
    assert len(other.heads) == 2
