"""The admin port of the supervisor: health, readiness, metrics and the snapshot, by GET and HEAD alone.

It is not on the data path, and serves one small answer per connection: asyncio's streams are enough.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from gateway_runtime.admin.metrics import CONTENT_TYPE, GatewayState, render
from gateway_runtime.admin.totals import total
from gateway_runtime.connections.wire import phrase
from gateway_runtime.secrets.store import ProviderState
from gateway_runtime.snapshot.codec import encode
from gateway_runtime.snapshot.types import Snapshot, Subscription

_MAX_HEAD: Final = 8192
_SECONDS: Final = 5.0
_SHOWN_DIGITS: Final = 8
_TEXT: Final = "text/plain; charset=utf-8"

Page = tuple[int, str, bytes]


class Administered(Protocol):
    """What the admin port tells of."""

    def not_ready(self) -> str:
        """Why the gateway is not ready; empty where it is."""
        ...

    def snapshot(self) -> Snapshot:
        """The present configuration."""
        ...

    def workers(self) -> int:
        """How many workers there are."""
        ...

    def restarts(self) -> int:
        """How often a worker was replaced."""
        ...

    def secrets(self) -> Sequence[ProviderState]:
        """How the providers of secrets are."""
        ...

    async def stats(self) -> list[dict[str, Any]]:
        """The counters of all workers."""
        ...


class AdminServer:
    """Serves the admin port."""

    def __init__(self, administered: Administered) -> None:
        self._administered = administered
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError where the address is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MAX_HEAD)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_SECONDS):
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except asyncio.LimitOverrunError:
                    head = b""
                await self._answer(head, writer)
        writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        method, _, rest = head.partition(b" ")
        target = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        status, media_type, body = await self._page(method, target)
        start = f"HTTP/1.1 {status} {phrase(status).decode()}\r\ncontent-type: {media_type}\r\n"
        writer.write(f"{start}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode())
        if method != b"HEAD":
            writer.write(body)
        await writer.drain()

    async def _page(self, method: bytes, target: str) -> Page:
        if method not in (b"GET", b"HEAD"):
            return 405 if method else 400, _TEXT, b"GET and HEAD only\n"
        if target == "/healthz":
            return 200, _TEXT, b"ok\n"
        if target == "/readyz":
            reason = self._administered.not_ready()
            return (503, _TEXT, reason.encode() + b"\n") if reason else (200, _TEXT, b"ok\n")
        if target == "/metrics":
            return 200, CONTENT_TYPE, (await self._metrics()).encode()
        if target == "/snapshot":
            return 200, "application/json", encode(shown(self._administered.snapshot())) + b"\n"
        return 404, _TEXT, b"known are /healthz, /readyz, /metrics and /snapshot\n"

    async def _metrics(self) -> str:
        administered = self._administered
        state = GatewayState(
            administered.workers(),
            administered.restarts(),
            len(administered.snapshot().apis),
            not administered.not_ready(),
            administered.secrets(),
        )
        return render(total(await administered.stats()), state)


def shown(snapshot: Snapshot) -> Snapshot:
    """A snapshot as people may see it: digests of keys cut short, so that none can be tried against them."""
    entries = {}
    for key, entry in snapshot.subscriptions.items():
        section = msgspec.structs.replace(
            entry.section, subscriptions=tuple(_shown(one) for one in entry.section.subscriptions)
        )
        entries[key] = msgspec.structs.replace(entry, section=section)
    return msgspec.structs.replace(snapshot, subscriptions=entries)


def _shown(subscription: Subscription) -> Subscription:
    digests = tuple(digest[:_SHOWN_DIGITS] for digest in subscription.key_digests)
    return msgspec.structs.replace(subscription, key_digests=digests)
