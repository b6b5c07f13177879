"""Upgrades: a WebSocket handshake, then bytes both ways; nothing else becomes a tunnel."""

import pytest

UPGRADE = (
    b"GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


@pytest.fixture
async def tunnel(serve, backend, api):
    """A service, and the two ends of a tunnel through it."""
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(UPGRADE)
    peer = await backend.accept()
    head = (await peer.until()).lower()
    assert b"\r\nconnection: upgrade\r\nupgrade: websocket\r\n" in head
    assert b"\r\nsec-websocket-key: " in head
    peer.send(SWITCH)
    answer = await client.answer()
    assert answer.status == 101
    assert answer.header("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert (answer.header("connection"), answer.header("upgrade")) == ("upgrade", "websocket")
    return service, client, peer


async def test_bytes_pass_both_ways_as_they_are(tunnel) -> None:
    _, client, peer = tunnel
    frame = bytes(range(256)) * 2000
    client.send(frame)
    assert await peer.exactly(len(frame)) == frame
    peer.send(frame[::-1])
    assert await client.exactly(len(frame)) == frame[::-1]


async def test_a_tunnel_ends_for_the_client_with_the_backend(tunnel) -> None:
    service, client, peer = tunnel
    peer.send(b"bye")
    peer.close()
    assert await client.rest() == b"bye"
    assert service.stats.api("shop/api").statuses == {101: 1}


async def test_a_tunnel_ends_for_the_backend_with_the_client(tunnel) -> None:
    _, client, peer = tunnel
    client.send(b"bye")
    client.close()
    assert await peer.rest() == b"bye"


async def test_what_comes_with_the_switch_passes(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(UPGRADE + b"early")
    peer = await backend.accept()
    await peer.until()
    peer.send(SWITCH + b"hello")
    assert (await client.answer()).status == 101
    assert await client.exactly(5) == b"hello"
    assert await peer.exactly(5) == b"early"


async def test_a_backend_may_decline_to_switch(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(UPGRADE)
    peer = await backend.accept()
    await peer.until()
    peer.send(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")
    answer = await client.answer()
    assert (answer.status, answer.body) == (426, b"no")
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await peer.until()).startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("lines", [("Connection: Upgrade", "Upgrade: h2c"), ("Upgrade: websocket",)])
async def test_other_upgrades_are_not_asked_for(serve, backend, api, lines: tuple[str, ...]) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    assert (await service.get("/", *lines)).status == 200
    assert b"upgrade" not in backend.heads[0].lower()
