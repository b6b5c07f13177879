"""Bodies much larger than any buffer: they pass whole, in bounded memory, at the pace of the slower side."""

import asyncio
from pathlib import Path

import pytest

SIZE = 300 * 1048576
PIECE = bytes(1048576)
GROWTH = 40
"""MiB that this process, gateway and both its peers, may grow by."""


def resident() -> float:
    """MiB of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1048576


async def swallow(peer, size: int) -> float:
    """Read so many bytes; answers the most memory seen meanwhile."""
    most = 0.0
    while size:
        part = await peer.reader.read(min(size, 1048576))
        assert part
        size -= len(part)
        most = max(most, resident())
    return most


async def pour(peer, size: int, chunked: bool = False) -> None:
    for _ in range(size // len(PIECE)):
        peer.send(b"100000\r\n" + PIECE + b"\r\n" if chunked else PIECE)
        await peer.flushed()


async def test_a_large_upload_passes_in_bounded_memory(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    before = resident()
    client = await service.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % SIZE)
    peer = await backend.accept()
    await peer.until()
    async with asyncio.timeout(60):
        _, most = await asyncio.gather(pour(client, SIZE), swallow(peer, SIZE))
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (await client.answer()).body == b"ok"
    assert most - before < GROWTH


async def test_a_large_download_passes_in_bounded_memory(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    before = resident()
    client = await service.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    peer = await backend.accept()
    await peer.until()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    await client.until()
    async with asyncio.timeout(60):
        _, most = await asyncio.gather(pour(peer, SIZE), swallow(client, SIZE))
    assert most - before < GROWTH


async def stuck(peer, chunked: bool) -> int:
    """Send until nothing is taken any more; answers how many MiB were taken."""
    taken = 0
    try:
        while taken < SIZE // len(PIECE):
            peer.send(b"100000\r\n" + PIECE + b"\r\n" if chunked else PIECE)
            async with asyncio.timeout(0.5):
                await peer.flushed()
            taken += 1
    except TimeoutError:
        pass
    return taken


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("begin", ["kept", "fresh"])
async def test_a_backend_that_does_not_read_stops_the_client(
    serve, backend, api, chunked: bool, begin: str
) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    peer = None
    if begin == "kept":
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        peer = await backend.accept()
        await peer.until()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await client.answer()
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % SIZE
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
    taken = await stuck(client, chunked)
    assert taken < 30  # what the kernel's four socket buffers hold, and little more
    peer = peer or await backend.accept()
    await peer.until()
    async with asyncio.timeout(60):
        await swallow(peer, taken * len(PIECE))


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_client_that_does_not_read_stops_the_backend(serve, backend, api, chunked: bool) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    peer = await backend.accept()
    await peer.until()
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % SIZE
    peer.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
    taken = await stuck(peer, chunked)
    assert taken < 30
    async with asyncio.timeout(60):
        await swallow(client, taken * len(PIECE))


async def test_a_tunnel_goes_at_the_pace_of_the_slower_side(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    peer = await backend.accept()
    await peer.until()
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    await client.until()
    up, down = await asyncio.gather(stuck(client, False), stuck(peer, False))
    assert max(up, down) < 30
    async with asyncio.timeout(60):
        await asyncio.gather(swallow(peer, up * len(PIECE)), swallow(client, down * len(PIECE)))
