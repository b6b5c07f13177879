"""Clients that are slow, on purpose or not: each is cut by time, and only then."""

import asyncio
import json
import socket

import pytest

from gateway_runtime.snapshot.types import Timeouts

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
QUICK = Timeouts(header=0.3, body=0.3, idle=0.3)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def key(body: bytes) -> str:
    return str(json.loads(body)["key"])


async def drip(client, data: bytes) -> None:
    """Send a byte now and then for as long as the other side takes it."""
    for byte in data:
        client.send(bytes([byte]))
        await asyncio.sleep(0.05)


async def test_a_head_that_trickles_in_is_cut(serve, backend, api) -> None:
    service = await serve(api(backend.url), timeouts=Timeouts(header=0.3))
    client = await service.connect()
    task = asyncio.create_task(drip(client, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 10_000))
    answer = await client.answer()
    assert (answer.status, key(answer.body), answer.header("connection")) == (408, "REQUEST_TIMEOUT", "close")
    task.cancel()
    assert backend.count == 0


async def test_a_second_head_that_trickles_in_is_cut_too(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url), timeouts=Timeouts(header=0.3))
    client = await service.connect()
    client.send(GET + b"GET")
    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 408


async def test_an_idle_connection_is_closed_without_a_word(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url), timeouts=QUICK)
    client = await service.connect()
    assert await client.lost()
    used = await service.connect()
    used.send(GET)
    assert (await used.answer()).status == 200
    assert await used.lost()
    assert service.stats.connections_open == 0


async def test_a_body_that_does_not_come_is_cut(serve, backend, api) -> None:
    service = await serve(api(backend.url), timeouts=QUICK)
    client = await service.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    peer = await backend.accept()
    await peer.until(b"abc")
    answer = await client.answer()
    assert (answer.status, key(answer.body), answer.header("connection")) == (408, "REQUEST_TIMEOUT", "close")
    assert await peer.lost()


async def test_a_slow_body_that_goes_on_is_not_cut(serve, backend, api) -> None:
    service = await serve(api(backend.url), timeouts=Timeouts(body=0.3))
    client = await service.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
    peer = await backend.accept()
    await peer.until()
    await drip(client, b"x" * 20)
    assert await peer.exactly(20) == b"x" * 20
    peer.send(OK)
    assert (await client.answer()).status == 200


async def test_a_backend_that_does_not_take_the_body_is_the_one_to_blame(serve, backend, api) -> None:
    service = await serve(api(backend.url, response_timeout=0.3), timeouts=Timeouts(body=0.3))
    client = await service.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
    peer = await backend.accept()
    await peer.until()
    client.send(bytes(50_000_000))
    answer = await client.answer()
    assert (answer.status, key(answer.body)) == (504, "UPSTREAM_RESPONSE_TIMEOUT")


@pytest.mark.parametrize("size", [20_000, 50_000_000], ids=["between responses", "amid a response"])
async def test_a_client_that_does_not_read_is_cut(serve, backend, api, size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    backend.answers(head + bytes(size))
    service = await serve(api(backend.url), timeouts=QUICK)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", service.port))
        client.send(GET * 1000)
        async with asyncio.timeout(10):
            while not service.stats.connections_total or service.stats.connections_open:
                await asyncio.sleep(0.05)
