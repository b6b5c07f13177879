"""A real HTTP server for the endpoints of OAuth 2.0, which remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Asked:
    """One form that was posted."""

    head: str
    fields: dict[str, str]


class OAuthServer:
    """Answers each form with one document, on a free port of the loopback."""

    def __init__(self, **members: Any) -> None:
        self.document = json.dumps(members).encode()
        self.status = "200 OK"
        self.asked: list[Asked] = []
        self.open = asyncio.Event()
        """Answers wait for it."""
        self.arrived = asyncio.Condition()
        self.most = 0
        """How many waited for their answers at the same time, at most."""
        self._waiting = 0
        self.open.set()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/oauth"

    def answer(self, **members: Any) -> None:
        self.document = json.dumps(members).encode()

    async def until_asked(self, times: int) -> None:
        """Wait for that many requests."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.asked) >= times)

    async def __aenter__(self) -> OAuthServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.split("\r\n")
            if line.lower().startswith("content-length")
        )
        fields = dict(parse_qsl((await reader.readexactly(length)).decode(), strict_parsing=True))
        async with self.arrived:
            self.asked.append(Asked(head, fields))
            self.arrived.notify_all()
        self._waiting += 1
        self.most = max(self.most, self._waiting)
        await self.open.wait()
        self._waiting -= 1
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: {len(self.document)}\r\n\r\n".encode())
        writer.write(self.document)
        await writer.drain()
        writer.close()
