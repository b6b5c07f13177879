"""A way to a server that a test can break, as networks do."""

from __future__ import annotations

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from e2e.components.ports import ADDRESS, free_port

_PIECE = 65_536


class Link:
    """Forwards TCP connections to a port of this machine; `with Link(port) as link:`."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._live: set[asyncio.Task[Any]] = set()
        self._forgotten: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> Link:
        self._thread.start()
        self.mend()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lead(self, kubeconfig: Path) -> Path:
        """Has a kubeconfig of the server lead this way; its path."""
        text = kubeconfig.read_text(encoding="utf-8")
        kubeconfig.write_text(text.replace(f":{self._target}\n", f":{self.port}\n"), encoding="utf-8")
        return kubeconfig

    def cut(self) -> None:
        """Ends all connections, and refuses others."""
        self._run(self._cut())

    def mend(self) -> None:
        """Forwards connections again."""
        self._run(self._mend())

    def forget(self) -> None:
        """Loses what goes over connections that exist and tells nobody, as a restarted firewall does.

        Others are forwarded as before.
        """
        self._run(self._forget())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _cut(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for task in self._live:
            task.cancel()
        while self._live:
            await asyncio.wait(self._live)

    async def _mend(self) -> None:
        self._server = await asyncio.start_server(self._forward, ADDRESS, self.port)

    async def _forget(self) -> None:
        self._forgotten |= self._live

    async def _forward(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._live.add(task)
        ends = [writer]
        try:
            # CancelledError: the link is cut.
            with suppress(OSError, asyncio.CancelledError):
                back, there = await asyncio.open_connection(ADDRESS, self._target)
                ends.append(there)
                ways = (self._copy(reader, there, task), self._copy(back, writer, task))
                await asyncio.gather(*ways)
        finally:
            for end in ends:
                end.transport.abort()
            self._live.discard(task)
            self._forgotten.discard(task)

    async def _copy(self, source: StreamReader, target: StreamWriter, of: asyncio.Task[Any]) -> None:
        while piece := await source.read(_PIECE):
            if of not in self._forgotten:
                target.write(piece)
                await target.drain()
        if of not in self._forgotten:
            raise ConnectionResetError
