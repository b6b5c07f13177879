"""A real HTTP server for key sets, which counts its requests and misbehaves on demand."""

from __future__ import annotations

import asyncio
import json
import ssl
from types import TracebackType
from typing import Any


class KeyServer:
    """Serves one document at /keys on a free port of the loopback."""

    def __init__(self, *keys: dict[str, Any], tls: ssl.SSLContext | None = None) -> None:
        self.document = b""
        self.status = "200 OK"
        self.extra = ""
        self.requests = 0
        self.open = asyncio.Event()
        """Answers wait for it."""
        self.left = asyncio.Event()
        """Set when a client has gone."""
        self.drip = False
        """Whether the answer comes a byte at a time, without an end."""
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._port = 0
        self.open.set()
        self.serve(*keys)

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._port}/keys"

    def serve(self, *keys: dict[str, Any]) -> None:
        self.document = json.dumps({"keys": keys}).encode()

    async def start(self) -> None:
        """Listen, after an outage on the port of before."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def __aenter__(self) -> KeyServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            await self.open.wait()
            writer.write(f"HTTP/1.1 {self.status}\r\n{self.extra}Content-Length: ".encode())
            while self.drip:
                writer.write(b"0")
                await writer.drain()
                await asyncio.sleep(0.01)
            writer.write(b"%d\r\n\r\n" % len(self.document) + self.document)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.left.set()
            writer.close()
