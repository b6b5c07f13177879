"""`penstock run` as a process, a backend in a thread, and clients that count what becomes of each request."""

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from prometheus_client.parser import text_string_to_metric_families

PATIENCE = 10.0
"""Seconds after which a test that waits has failed."""

OPEN_API = """
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {{name: {name}}}
spec:
  listeners: [{{http: {{path: /{name}}}}}]
  endpointGroups:
  - name: default
    endpoints: [{{name: main, url: "http://127.0.0.1:{backend}"}}]
{more}---
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {{name: {name}}}
spec: {{apiRef: {{name: {name}}}, security: {{keyless: {{}}}}}}
"""


def open_api(name: str, backend: int, more: str = "") -> str:
    """An API for everybody at `/name`; `more` is YAML of its spec, indented by two."""
    return OPEN_API.format(name=name, backend=backend, more=more)


def gateway(*ports: int, workers: int = 2, more: str = "") -> str:
    """A GatewayDeployment that listens on these ports."""
    listeners = "".join(f"  - {{name: at-{port}, port: {port}, address: 127.0.0.1}}\n" for port in ports)
    return (
        "apiVersion: penstock.dev/v1alpha1\nkind: GatewayDeployment\nmetadata: {name: edge}\n"
        f"spec:\n  workers: {workers}\n  listeners:\n{listeners}{more}"
    )


def save(path: Path, text: str) -> None:
    """Replace a file in one step, as editors and deploy tools do."""
    replacement = path.with_name(".replacement")
    replacement.write_text(text)
    replacement.rename(path)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


class Lines:
    """The lines of a stream, read by a thread."""

    def __init__(self, stream: IO[str]) -> None:
        self.all: list[str] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._changed:
                self.all.append(line.rstrip("\n"))
                self._changed.notify_all()
        stream.close()

    def wait(self, text: str, count: int = 1) -> str:
        """The `count`th line that holds `text`, once it is there."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = [line for line in self.all if text in line]
            return len(found) >= count

        with self._changed:
            assert self._changed.wait_for(is_there, PATIENCE), f"no {text!r} in {self.all}"
        return found[count - 1]

    def join(self) -> list[str]:
        """All lines, once the stream has ended."""
        self._thread.join(PATIENCE)
        return self.all


class Running:
    """A `penstock run`, within a command that becomes it. It is ended at the end of the test in any case."""

    def __init__(self, folder: Path, *options: str, within: Sequence[str] = ()) -> None:
        (self.admin,) = free_ports(1)
        if "--admin" not in options:
            options = (*options, "--admin", f"127.0.0.1:{self.admin}")
        run = [sys.executable, "-m", "penstock_operator.cli.main", "run", "-f", str(folder)]
        command = [*within, *run, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out = Lines(self.process.stdout)
        self.err = Lines(self.process.stderr)

    def ready(self) -> "Running":
        """Wait until all workers serve."""
        self.until(lambda: self.page("/readyz")[0] == 200)
        return self

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that only asking can tell."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.err.join()
            with suppress(OSError, http.client.HTTPException):
                if holds():
                    return
            time.sleep(0.01)
        raise AssertionError(f"in vain; {self.err.all}")

    def page(self, path: str) -> tuple[int, str]:
        """Status and body of a page of the admin port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        families = text_string_to_metric_families(self.page("/metrics")[1])
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(one.value for one in samples if labels.items() <= one.labels.items())

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        return [
            int(one) for one in _read(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split()
        ]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    def stop(self) -> None:
        workers = self.workers() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, 9)
        self.out.join()
        self.err.join()


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        """The machine-readable key of an error."""
        return str(json.loads(self.body)["key"])


class BrokenError(Exception):
    """A request was sent and its response did not come, or not whole."""


async def fetch(port: int, path: str, *lines: str) -> Answer:
    """The answer to one request on a connection of its own."""
    async with asyncio.timeout(PATIENCE):
        client = await Client.connect(port)
        try:
            return await client.get(path, *lines, "Connection: close")
        finally:
            await client.close()


class Client:
    """One connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def get(self, path: str, *lines: str) -> Answer:
        """Send a request and read all of its response."""
        self.send(path, *lines)
        return await self.answer()

    def send(self, path: str, *lines: str) -> None:
        self.writer.write("\r\n".join([f"GET {path} HTTP/1.1", "Host: a.example", *lines, "", ""]).encode())

    async def answer(self) -> Answer:
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (one.partition(":") for one in head[1:])
            }
            body = await self.reader.readexactly(int(headers["content-length"]))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise BrokenError(repr(error)) from error
        return Answer(int(head[0].split()[1]), headers, body)

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@dataclass
class Load:
    """Clients that ask again and again until they are stopped, or nobody listens any more.

    A request is lost where it went out on an established connection and no complete response came back.
    There is no allowance for a kept connection that closes before the request is read: while clients are
    active a gateway that announces the end with `Connection: close` never does that.
    """

    port: int
    path: str
    answers: list[Answer] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: int = 0
    _stopped: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _enough: asyncio.Condition = field(default_factory=asyncio.Condition)

    def start(self, kept: int, fresh: int) -> "Load":
        """Clients with one connection for all requests, and with one for each."""
        self._tasks = [asyncio.create_task(self._client(index < kept)) for index in range(kept + fresh)]
        return self

    async def _client(self, keeps: bool) -> None:
        client: Client | None = None
        while not self._stopped:
            try:
                client = client or await Client.connect(self.port)
            except ConnectionError:
                self.refused += 1
                return
            answer = await self._ask(client)
            if answer is None or not keeps or answer.headers.get("connection") == "close":
                await client.close()
                client = None
        if client is not None:
            await client.close()

    async def _ask(self, client: Client) -> Answer | None:
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await client.get(self.path)
        except (BrokenError, TimeoutError) as error:
            self.lost.append(repr(error))
            return None
        self.answers.append(answer)
        async with self._enough:
            self._enough.notify_all()
        return answer

    async def more(self, count: int) -> None:
        """Wait for so many answers more."""
        wanted = len(self.answers) + count
        async with asyncio.timeout(PATIENCE), self._enough:
            await self._enough.wait_for(lambda: len(self.answers) >= wanted)

    async def stop(self) -> None:
        self._stopped = True
        await self.ended()

    async def ended(self) -> None:
        """Wait until all clients have ended."""
        await asyncio.gather(*self._tasks)

    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)


class Backend:
    """Answers `ok` at once; below `/held` and `/half` it waits (with nothing, or half the body out) for
    `release`."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        """Released once for each request that is held."""
        self._loop = asyncio.new_event_loop()
        self._release = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = self._loop.run_until_complete(self._start())
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def _start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                await self._answer(await reader.readuntil(b"\r\n\r\n"), writer)
        self._tasks.discard(task)
        writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        path = head.split(b" ", 2)[1]
        start = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
        if path == b"/half":
            writer.write(start + b"o")
        if path in (b"/half", b"/held"):
            self.arrived.release()
            await self._release.wait()
        writer.write(b"k" if path == b"/half" else start + b"ok")
        await writer.drain()

    def holds(self, count: int = 1) -> None:
        """Wait until so many requests are held."""
        for _ in range(count):
            assert self.arrived.acquire(timeout=PATIENCE)

    def release(self) -> None:
        """Answer what is held, and hold nothing from now on."""
        self._loop.call_soon_threadsafe(self._release.set)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


Start = Callable[..., Running]
Connect = Callable[[int], Awaitable[Client]]
