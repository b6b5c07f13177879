"""Listening sockets to connections: accepts for one worker, and stops without losing who waits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from gateway_runtime.connections.handshakes import refuse_handshakes

Factory = Callable[[], asyncio.BaseProtocol]

_HANDSHAKE_SECONDS: Final = 10.0


class Listening:
    """One socket at which a worker accepts, which belongs to it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        factory: Factory,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.socket = sock
        self.factory = factory
        """Makes the connection of each client; what is accepted from now on is made by what stands here."""
        self._loop = loop
        self._context = context
        self._patience = None if context is None else _HANDSHAKE_SECONDS
        self._server: asyncio.Server | None = None
        self._late: set[asyncio.Task[object]] = set()

    def _make(self) -> asyncio.BaseProtocol:
        return self.factory()

    async def open(self) -> None:
        """Begin to accept."""
        self._server = await self._loop.create_server(
            self._make, sock=self.socket, ssl=self._context, ssl_handshake_timeout=self._patience
        )

    async def close(self) -> None:
        """Take what waits in the queue, and close."""
        accepted = self._waiting()
        if self._server is not None:
            self._server.close()
        for client in accepted:
            await self._take(client)

    def _waiting(self) -> list[socket.socket]:
        """Takes all clients out of the queue."""
        accepted = []
        self.socket.setblocking(False)
        with contextlib.suppress(OSError):
            while True:
                accepted.append(self.socket.accept()[0])
        return accepted

    async def _take(self, client: socket.socket) -> None:
        connecting = self._loop.connect_accepted_socket(
            self._make, client, ssl=self._context, ssl_handshake_timeout=self._patience
        )
        if self._context is None:
            await connecting
            return
        # A client that is slow to shake hands holds up nobody.
        task: asyncio.Task[object] = self._loop.create_task(_quietly(connecting))
        self._late.add(task)
        task.add_done_callback(self._late.discard)


async def _quietly(connecting: Awaitable[object]) -> None:
    with contextlib.suppress(OSError):
        await connecting


async def stop_accepting(places: Iterable[Listening], settle: float) -> None:
    """Turn new connections away, and take those that are there already."""
    closing = list(places)
    for place in closing:
        refuse_handshakes(place.socket)
    await asyncio.sleep(settle)
    for place in closing:
        await place.close()
