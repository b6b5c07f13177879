"""Bodies that a policy wants whole: collected within a limit, handed over once complete."""

from __future__ import annotations

import asyncio


class BodyTooLargeError(Exception):
    """A body larger than the gateway's `bufferedBody` limit."""


class BufferedBody:
    """Collects the parts of one body; `limit` in bytes."""

    __slots__ = ("_future", "_limit", "_parts", "_size")

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self._future: asyncio.Future[bytes] = loop.create_future()
        self._limit = limit
        self._size: int = 0
        self._parts: list[bytes] = []

    def add(self, part: bytes) -> None:
        """Take one part; beyond the limit nothing is kept and the waiting policy gets the error."""
        self._size += len(part)
        if self._size <= self._limit:
            self._parts.append(part)
        elif not self._future.done():
            self._parts.clear()
            self._future.set_exception(BodyTooLargeError(f"the body is larger than {self._limit} bytes"))

    def end(self) -> None:
        """The body is complete."""
        if not self._future.done():
            self._future.set_result(b"".join(self._parts))
            self._parts.clear()

    async def wait(self) -> bytes:
        """The whole body; raises BodyTooLargeError."""
        return await self._future

    def value(self) -> bytes:
        """The whole body, once it is complete."""
        return self._future.result()
