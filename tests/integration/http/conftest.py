"""A gateway in this process, raw clients in front of it, and backends whose every byte a test scripts."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop

from gateway_runtime.admin.access_log import AccessLog
from gateway_runtime.connections.gateway import Gateway
from gateway_runtime.counters.local import LocalCounter
from gateway_runtime.snapshot.codec import api_entry, difference
from gateway_runtime.snapshot.types import (
    ApiSection,
    Endpoint,
    EndpointGroup,
    GatewaySection,
    HttpListener,
    HttpRoute,
    KeylessSecurity,
    Plan,
    Snapshot,
)
from gateway_runtime.stats import WorkerStats

PATIENCE = 5.0
"""Seconds after which a test that waits for bytes has failed."""


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests of this folder run on the loop that the gateway runs on."""
    return {"uvloop": uvloop.new_event_loop}


@dataclass
class Answer:
    status: int
    head: bytes
    body: bytes

    @property
    def lines(self) -> list[bytes]:
        return self.head.split(b"\r\n")[1:]

    def header(self, name: str) -> str | None:
        values = [
            line.partition(b":")[2].strip()
            for line in self.lines
            if line.partition(b":")[0].lower() == name.encode()
        ]
        return b", ".join(values).decode("latin-1") if values else None


class Peer:
    """One end of a raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def flushed(self) -> None:
        await self.writer.drain()

    async def until(self, mark: bytes = b"\r\n\r\n") -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readuntil(mark)

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        """All that comes before the other side closes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def lost(self) -> bool:
        """Whether the other side closes or resets the connection without another byte."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True

    async def answer(self, to_head: bool = False) -> Answer:
        """One response, its body decoded."""
        head = (await self.until()).removesuffix(b"\r\n\r\n")
        answer = Answer(int(head[9:12]), head, b"")
        length = answer.header("content-length")
        if to_head or answer.status < 200 or answer.status in (204, 304):
            return answer
        if answer.header("transfer-encoding") == "chunked":
            answer.body = await self.chunks()
        else:
            answer.body = await (self.rest() if length is None else self.exactly(int(length)))
        return answer

    async def chunks(self) -> bytes:
        """A chunked body without trailers."""
        body = b""
        while size := int(await self.until(b"\r\n"), 16):
            body += (await self.exactly(size + 2))[:-2]
        assert await self.exactly(2) == b"\r\n"
        return body

    def end(self) -> None:
        self.writer.write_eof()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Close so that the other side gets a reset, not an end: without SO_LINGER it would be a FIN."""
        sock = self.writer.get_extra_info("socket")
        if not self.writer.transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Handler = Callable[[Peer], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Backend:
    """A server that does what a test says. `accept` gives the next connection, unless a handler takes all."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[bytes] = []
        self.accepted: asyncio.Queue[Peer] = asyncio.Queue()
        self.count = 0
        self._handler: Handler | None = None
        self._peers: list[Peer] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self.count += 1
        self._peers.append(peer)
        if self._handler is None:
            self.accepted.put_nowait(peer)
            return
        try:
            await self._handler(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def accept(self) -> Peer:
        async with asyncio.timeout(PATIENCE):
            return await self.accepted.get()

    def answers(self, response: bytes = OK) -> None:
        """Answer every request, none of which has a body, with the same bytes."""

        async def handler(peer: Peer) -> None:
            while True:
                self.heads.append(await peer.reader.readuntil(b"\r\n\r\n"))
                peer.send(response)

        self._handler = handler

    def does(self, handler: Handler) -> None:
        self._handler = handler

    def stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        self.stop_accepting()
        for peer in self._peers:
            peer.reset()
        await asyncio.gather(*(peer.writer.wait_closed() for peer in self._peers), return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Service:
    """A gateway that serves a snapshot."""

    gateway: Gateway
    port: int
    stats: WorkerStats
    log: Path
    snapshot: Snapshot = field(default_factory=Snapshot)
    _peers: list[Peer] = field(default_factory=list)

    def apply(
        self, *apis: ApiSection, secrets: dict[str, str] | None = None, **gateway: object
    ) -> dict[str, str]:
        section = GatewaySection(**gateway) if gateway else self.snapshot.gateway  # type: ignore[arg-type]
        entries = {f"{api.namespace}/{api.name}": api_entry(api) for api in apis}
        new = Snapshot(gateway=section, apis=entries)
        delta = difference(self.snapshot, new)
        self.snapshot = new
        return self.gateway.apply(new, delta, secrets or {})

    async def connect(self) -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port))
        self._peers.append(peer)
        return peer

    async def ask(self, request: bytes, to_head: bool = False) -> Answer:
        """The answer to one request on a connection of its own."""
        client = await self.connect()
        client.send(request)
        answer = await client.answer(to_head)
        client.close()
        return answer

    async def get(self, path: str = "/", *lines: str) -> Answer:
        return await self.ask(
            "\r\n".join([f"GET {path} HTTP/1.1", "Host: a.example", *lines, "", ""]).encode()
        )

    async def stop(self) -> None:
        for peer in self._peers:
            peer.reset()
        await asyncio.gather(*(peer.writer.wait_closed() for peer in self._peers), return_exceptions=True)
        await self.gateway.drain(0)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as resources:
        yield resources


@pytest.fixture
async def backend(stack: AsyncExitStack) -> Backend:
    made = Backend()
    await made.start()
    stack.push_async_callback(made.stop)
    return made


@pytest.fixture
async def other(stack: AsyncExitStack) -> Backend:
    """A second backend."""
    made = Backend()
    await made.start()
    stack.push_async_callback(made.stop)
    return made


def api_of(*urls: str, name: str = "api", path: str = "/", **fields: object) -> ApiSection:
    """A keyless API in front of backends; names of `EndpointGroup` fields go there."""
    limits = {key: fields.pop(key) for key in ("connect_timeout", "response_timeout") if key in fields}
    endpoints = tuple(Endpoint(name=f"e{index}", url=url) for index, url in enumerate(urls))
    given = {
        "routes": (HttpRoute(path=path),),
        "endpoint_groups": (EndpointGroup(name="g", endpoints=endpoints, **limits),),  # type: ignore[arg-type]
        "plans": (Plan(name="open", security=KeylessSecurity()),),
    }
    return ApiSection(name=name, namespace="shop", **(given | fields))  # type: ignore[arg-type]


@pytest.fixture
def api() -> Callable[..., ApiSection]:
    return api_of


@pytest.fixture
async def serve(stack: AsyncExitStack, tmp_path: Path) -> Callable[..., Awaitable[Service]]:
    """Start a gateway with APIs; keywords are fields of `GatewaySection`."""

    async def start(*apis: ApiSection, **section: object) -> Service:
        loop = asyncio.get_running_loop()
        log = tmp_path / "access.log"
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
        stack.callback(os.close, descriptor)
        stats = WorkerStats()
        gateway = Gateway(loop, LocalCounter(), stats, AccessLog(descriptor))
        sock = socket.create_server(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        service = Service(gateway, port, stats, log)
        service.apply(*apis, **section)
        await gateway.listen(HttpListener(name="http", address="127.0.0.1", port=port), sock)
        stack.push_async_callback(service.stop)
        return service

    return start
