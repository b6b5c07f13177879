"""A collection of objects to a sink that always knows its newest state: list, then watch, then again.

A broken watch goes on where it broke. Where the API server has forgotten that point (410 Gone) the collection
is listed anew, which also finds what was deleted meanwhile. While the API server is away, nothing changes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from time import monotonic
from typing import Final, Generic, NoReturn, Protocol, TypeVar

from gateway_runtime.cluster.client import GONE, Change, ClusterClient, ClusterError, Collection
from gateway_runtime.cluster.objects import DataObject, EndpointSlice, Object

_LOG: Final = logging.getLogger(__name__)
_FIRST_PAUSE: Final = 0.1
_MAX_PAUSE: Final = 10.0
_POLL: Final = (20.0, 40.0)
_STEADY: Final = 5.0
"""Seconds after which a watch counts as one that worked."""


_Followed_contra = TypeVar("_Followed_contra", DataObject, EndpointSlice, contravariant=True)


class Sink(Protocol[_Followed_contra]):
    """Who follows a collection."""

    def put(self, found: _Followed_contra) -> None:
        """An object as it is now; it may be known already."""
        ...

    def remove(self, name: str) -> None:
        """An object is gone."""
        ...

    def keep(self, names: set[str]) -> None:
        """The collection was listed whole: what has another name is gone."""
        ...

    def reach(self, version: str) -> None:
        """All changes up to this resourceVersion are told."""
        ...

    def trouble(self, reason: str) -> None:
        """Why the collection cannot be followed at present; empty where it can."""
        ...


class Budget:
    """What the reflectors of many collections share: each watch holds a connection, and that some 270 KB.

    A collection for which no watch is left is listed again every half a minute.
    """

    def __init__(self, watches: int = 1, lists: int = 1) -> None:
        self.watches = asyncio.Semaphore(watches)
        self.lists = asyncio.Semaphore(lists)


class Backoff:
    """Growing pauses between attempts, with jitter so that pods do not come all at once."""

    def __init__(self, longest: float = _MAX_PAUSE) -> None:
        self._longest = longest
        self._failures = 0

    def reset(self) -> None:
        """An attempt worked."""
        self._failures = 0

    def pause(self) -> float:
        """Seconds to wait after one more failure."""
        pause = min(self._longest, _FIRST_PAUSE * 2.0 ** min(self._failures, 20))
        self._failures += 1
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class Reflector(Generic[Object]):
    """Keeps a sink up to date; `run` never ends by itself."""

    def __init__(
        self,
        client: ClusterClient,
        collection: Collection[Object],
        sink: Sink[Object],
        budget: Budget | None = None,
    ) -> None:
        self._client = client
        self._collection: Collection[Object] = collection
        self._sink: Sink[Object] = sink
        self._budget = budget or Budget()
        self._backoff = Backoff()

    async def run(self) -> NoReturn:
        """List and watch, again and again."""
        while True:
            try:
                async with self._budget.lists:
                    version = await self._list()
                await self._follow(version)
            except ClusterError as error:
                if error.status == GONE:
                    _LOG.info("%s: listed anew: %s", self._collection.path, error)
                await self._wait(error)
            except Exception as error:  # whatever the trouble is, what is known keeps serving
                _LOG.exception("following %s failed", self._collection.path)
                await self._wait(error)

    async def _follow(self, version: str) -> None:
        """Watch for ever; or, where no watch is left, wait until it is time for a new list."""
        if self._budget.watches.locked():
            await asyncio.sleep(random.uniform(*_POLL))  # noqa: S311 - no secret
            return
        async with self._budget.watches:
            while True:
                version = await self._watch(version)

    async def _list(self) -> str:
        names: set[str] = set()
        version = ""
        async for page in self._client.pages(self._collection):
            version = page.metadata.resource_version
            for found in page.items:
                names.add(found.metadata.name)
                self._sink.put(found)
            await asyncio.sleep(0)
        self._sink.keep(names)
        self._sink.reach(version)
        self._sink.trouble("")
        return version

    async def _watch(self, version: str) -> str:
        """Follow one watch to its end; answers where the next one begins."""
        begun = monotonic()
        try:
            async with self._client.watch(self._collection, version) as changes:
                self._sink.trouble("")
                async for change in changes:
                    version = change.object.metadata.resource_version
                    self._take(change)
        except ClusterError as error:
            self._judge(begun)
            if not error.is_passing:
                raise
            await self._wait(error)
        else:
            self._judge(begun)
            await asyncio.sleep(self._backoff.pause())
        return version

    def _take(self, change: Change[Object]) -> None:
        metadata = change.object.metadata
        if change.type == "DELETED":
            self._sink.remove(metadata.name)
        elif change.type in ("ADDED", "MODIFIED"):
            self._sink.put(change.object)
        self._sink.reach(metadata.resource_version)

    def _judge(self, begun: float) -> None:
        if monotonic() - begun > _STEADY:
            self._backoff.reset()

    async def _wait(self, error: Exception) -> None:
        self._sink.trouble(str(error) or type(error).__name__)
        await asyncio.sleep(self._backoff.pause())
