"""Follows the statuses that the operator writes, as anyone who watches the cluster sees them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from bench.operator.admin import Admin
from bench.operator.objects import NAMESPACE, PLURALS

_KINDS = ("ApiDefinition", "Plan", "Subscription")
_AGAIN = 0.5
_CONDITIONS = frozenset(("Programmed", "Ready"))


class _Condition(msgspec.Struct, rename="camel"):
    type: str
    status: str
    observed_generation: int = 0


class _Status(msgspec.Struct):
    conditions: tuple[_Condition, ...] = ()


class _Metadata(msgspec.Struct):
    name: str
    generation: int = 0


class _Object(msgspec.Struct):
    metadata: _Metadata
    status: _Status | None = None


class _Event(msgspec.Struct):
    object: _Object


_EVENT = msgspec.json.Decoder(_Event)


class Progress:
    """How many objects of each kind are Programmed and Ready in their present generation."""

    def __init__(self) -> None:
        self._done: dict[str, dict[str, int]] = {kind: {} for kind in _KINDS}
        self._changed = asyncio.Event()

    def take(self, kind: str, line: bytes) -> None:
        """An event of a watch."""
        found = _EVENT.decode(line).object
        name, generation = found.metadata.name, found.metadata.generation
        holding = {
            one.type
            for one in (found.status.conditions if found.status else ())
            if one.status == "True" and one.observed_generation == generation
        }
        if holding >= _CONDITIONS:
            self._done[kind][name] = generation
        else:
            self._done[kind].pop(name, None)
        self._changed.set()

    def counts(self) -> dict[str, int]:
        """By kind."""
        return {kind: len(done) for kind, done in self._done.items()}

    async def until(self, wanted: dict[str, int], patience: float) -> None:
        """Wait for so many of each kind; raises RuntimeError where they do not come."""
        await self._until(lambda: all(len(self._done[k]) >= n for k, n in wanted.items()), patience)

    async def until_api(self, name: str, generation: int, patience: float) -> None:
        """Wait for a generation of an API."""
        await self._until(lambda: self._done["ApiDefinition"].get(name, 0) >= generation, patience)

    async def _until(self, holds: Callable[[], bool], patience: float) -> None:
        deadline = time.monotonic() + patience
        while not holds():
            self._changed.clear()
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._changed.wait()
            except TimeoutError:
                raise RuntimeError(f"not within {patience:g} s: {self.counts()} are ready") from None


@asynccontextmanager
async def following(admin: Admin) -> AsyncIterator[Progress]:
    """The progress, followed while the block runs."""
    progress = Progress()
    tasks = [asyncio.create_task(_follow(admin, kind, progress)) for kind in _KINDS]
    try:
        yield progress
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(admin: Admin, kind: str, progress: Progress) -> None:
    """Watch from the beginning, and again where the watch ends."""
    path = f"/apis/penstock.dev/v1alpha1/namespaces/{NAMESPACE}/{PLURALS[kind]}"
    while True:
        async with admin.watch(path) as lines:
            async for line in lines:
                progress.take(kind, line)
        await asyncio.sleep(_AGAIN)
