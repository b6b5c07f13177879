"""Protocols at plain transports, and the other ends of their connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import uvloop

from gateway_runtime.connections.plain_transport import PlainTransport, Reading, connect

PATIENCE = 10
RESET = b"\1\0\0\0\0\0\0\0"
"""The value of SO_LINGER with which to close is to reset."""

ETHERNET = 1_448
"""Bytes of a segment. Of a part of a frame the system tells early where the window has less room than one."""


class End:
    """What every protocol of these tests does."""

    def __init__(self) -> None:
        self.transport: PlainTransport | None = None
        self.came = asyncio.Event()
        self.full: list[bool] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    @property
    def there(self) -> PlainTransport:
        """The transport, which is there by now."""
        assert self.transport is not None
        return self.transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, PlainTransport)
        self.transport = transport

    def is_amid_frame(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.full.append(True)

    def resume_writing(self) -> None:
        self.full.append(False)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set_result(error)


@asynccontextmanager
async def connected(protocol: End) -> AsyncIterator[socket.socket]:
    """The other end of a protocol's connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, ETHERNET)
        await connect(asyncio.get_running_loop(), server.getsockname(), cast("Reading", protocol))
        peer = server.accept()[0]
    peer.setblocking(False)
    with peer:
        yield peer
    protocol.there.abort()
    await asyncio.wait_for(protocol.lost, PATIENCE)


async def read(peer: socket.socket, count: int) -> bytes:
    """So many bytes, or what comes before the end."""
    loop, got = asyncio.get_running_loop(), b""
    while len(got) < count:
        data = await asyncio.wait_for(loop.sock_recv(peer, 1 << 20), PATIENCE)
        if not data:
            break
        got += data
    return got


def run(behaviour: Callable[[], Awaitable[None]]) -> None:
    """Run a test on uvloop, which gateways have, within half a minute."""

    async def bounded() -> None:
        await asyncio.wait_for(behaviour(), 30)

    uvloop.run(bounded())
