"""A URL -> requests without a pause longer than a few milliseconds, and what became of each of them.

Half of the clients keep their connection for as long as the server does, the others make a new one for each
request. Nothing is sent twice: what fails here is what a client without retries would see.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from e2e.components.progress import say
from e2e.components.waiting import wait_until

_CLIENTS = 4
_PAUSE = 0.01
_PATIENCE = 15.0
"""Seconds: between two requests of a client, and for one answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; a status of 0 is none, and the text says why. `at` is when the request was sent."""

    at: float
    status: int
    text: str


class _Client:
    """One client of HTTP/1.1, with at most one connection."""

    def __init__(self, url: str, headers: Mapping[str, str], *, keeps: bool) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._request = "\r\n".join([*lines, *([] if keeps else ["Connection: close"]), "\r\n"]).encode()
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> Answer:
        """One request and its answer."""
        begin = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE):
                status, text = await self._answer()
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close()
            status, text = 0, f"{type(error).__name__}: {error}"
        return Answer(begin, status, text)

    def close(self) -> None:
        """Give up the connection."""
        if self._connection:
            self._connection[1].close()
            self._connection = None

    async def _answer(self) -> tuple[int, str]:
        if self._connection is None:
            self._connection = await asyncio.open_connection(*self._address)
        reader, writer = self._connection
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(fields["content-length"]))
        if fields.get("connection") == "close":
            self.close()
        return int(head[0].split()[1]), body.decode().strip()


class Traffic:
    """All answers so far, in the order in which they came."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.answers: list[Answer] = []
        self._clients = [_Client(url, headers, keeps=bool(number % 2)) for number in range(_CLIENTS)]
        self._over = threading.Event()

    @property
    def failures(self) -> list[Answer]:
        """What was not answered by 200."""
        return [answer for answer in self.answers if answer.status != 200]

    def wait_for(self, count: int) -> list[Answer]:
        """The next so many answers to requests that are sent from now on."""
        begin = time.monotonic()

        def later() -> list[Answer]:
            return [answer for answer in self.answers if answer.at >= begin]

        wait_until(f"{count} answers", lambda: len(later()) >= count)
        return later()

    def run(self) -> None:
        """Sends requests until `stop`."""
        asyncio.run(self._send())

    def stop(self) -> None:
        """Lets `run` end when the requests that are under way are answered."""
        self._over.set()

    async def _send(self) -> None:
        await asyncio.gather(*map(self._keep_asking, self._clients))

    async def _keep_asking(self, client: _Client) -> None:
        while not self._over.is_set():
            self.answers.append(await client.ask())
            await asyncio.sleep(_PAUSE)
        client.close()


@contextmanager
def traffic(url: str, headers: Mapping[str, str] | None = None) -> Iterator[Traffic]:
    """Requests to a URL while the block runs; the block's failures are seen after it."""
    made = Traffic(url, headers or {})
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        made.wait_for(20)
        yield made
        made.wait_for(20)
    finally:
        made.stop()
        thread.join()
        say(f"traffic: {len(made.failures)} of {len(made.answers)} requests failed")


def ask(url: str, headers: Mapping[str, str] | None = None) -> Answer:
    """One request over a connection of its own."""
    return asyncio.run(_Client(url, headers or {}, keeps=False).ask())
