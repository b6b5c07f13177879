"""Updates that name secrets -> updates with their values: resolved here, before a worker hears of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from gateway_runtime.secrets.changes import Changes
from gateway_runtime.secrets.gate import Gate, Passed
from gateway_runtime.secrets.given import GivenSecrets
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.secrets.store import ProviderState, SecretStore
from gateway_runtime.snapshot.types import Snapshot


class Named(Protocol):
    """What to serve, and the values of those secrets that came along."""

    @property
    def snapshot(self) -> Snapshot:
        """All sections."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]:
        """Values of `kubernetes/...` by URI."""
        ...

    @property
    def problems(self) -> Sequence[object]:
        """What is wrong with the input; each has a text for people."""
        ...


class Unresolved(Protocol):
    """A source of such updates."""

    def load(self) -> Named:
        """What to serve now."""
        ...

    def watch(self) -> AsyncIterator[Named]:
        """An update after each change."""
        ...


@dataclass(frozen=True, slots=True)
class ResolvedUpdate:
    """What to serve, with its secrets, and what is wrong."""

    snapshot: Snapshot
    secrets: Mapping[str, SecretText]
    problems: tuple[str, ...]


class ResolvingSource:
    """A source of updates with their secrets; `first` is what the source without them said first."""

    def __init__(self, source: Unresolved, first: Named) -> None:
        self._source = source
        self._changes = Changes()
        self._given = GivenSecrets()
        self._store = SecretStore(self._given, self._changes.tell)
        self._gate = Gate(self._store)
        self._named = first
        self._again_at: float | None = None
        self._last: ResolvedUpdate | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def following(self) -> AsyncIterator[ResolvedUpdate]:
        """Within it secrets are followed; gives the first update once its secrets are there, or late."""
        self._loop = asyncio.get_running_loop()
        try:
            update = self._resolved(self._named)
            while self._again_at is not None:
                await self._changes.settled(self._again_at)
                update = self._resolved(self._named)
            yield update
        finally:
            await self._store.stop()

    def load(self) -> ResolvedUpdate:
        """What to serve now; called in a thread."""
        named = self._source.load()
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self._take(named), self._loop).result()

    async def watch(self) -> AsyncIterator[ResolvedUpdate]:
        """An update after each change of the source or of a secret."""
        following = asyncio.create_task(self._follow())
        try:
            while True:
                await self._changes.settled(self._again_at)
                if following.done():
                    following.result()
                last = self._last
                update = self._resolved(self._named)
                if update != last:
                    yield update
        finally:
            following.cancel()

    def missing(self) -> str:
        """What there is can always be served."""
        return ""

    def secrets(self) -> Sequence[ProviderState]:
        """How the providers of secrets are."""
        return self._store.states()

    async def _follow(self) -> None:
        try:
            async for named in self._source.watch():
                self._named = named
                self._changes.tell()
        finally:
            self._changes.tell()

    async def _take(self, named: Named) -> ResolvedUpdate:
        self._named = named
        return self._resolved(named)

    def _resolved(self, named: Named) -> ResolvedUpdate:
        self._given.give(named.secrets)
        passed = self._passed(named.snapshot)
        self._again_at = passed.again_at
        errors = [f"{key or 'the gateway'}: {text}" for key, text in passed.errors.items()]
        problems = (*map(str, named.problems), *errors)
        self._last = ResolvedUpdate(passed.snapshot, passed.secrets, problems)
        return self._last

    def _passed(self, snapshot: Snapshot) -> Passed:
        passed = self._gate.pass_through(snapshot, monotonic())
        self._store.want(snapshot.gateway.secret_providers, passed.wanted, passed.refreshes)
        return passed
