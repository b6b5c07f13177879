"""What a cluster publishes for one gateway, as updates for the supervisor of its pod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from gateway_runtime.cluster.client import ClusterClient, config_maps
from gateway_runtime.cluster.gate import Gate, Passed
from gateway_runtime.cluster.reflector import Reflector
from gateway_runtime.cluster.secrets import Secrets
from gateway_runtime.cluster.sections import Sections
from gateway_runtime.snapshot.parts import GATEWAY_LABEL, SECTION_LABEL
from gateway_runtime.snapshot.types import Snapshot

_QUIET: Final = 0.02
_LONGEST: Final = 0.1
"""Seconds: an update is made after so much silence, or so long after the first change."""


@dataclass(frozen=True, slots=True)
class ClusterUpdate:
    """What to serve, the ConfigMaps' resourceVersion that it comes from, and what is wrong by API."""

    snapshot: Snapshot
    secrets: Mapping[str, str] = field(repr=False)
    errors: Mapping[str, str]
    version: int

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, for people."""
        return tuple(f"{key or 'the gateway'}: {text}" for key, text in self.errors.items())


class ClusterSource:
    """Follows the ConfigMaps of a gateway and the Secrets that they name."""

    def __init__(self, client: ClusterClient, namespace: str, gateway: str) -> None:
        self._dirty = asyncio.Event()
        self._sections = Sections(gateway, self._dirty.set)
        self._secrets = Secrets(client, self._dirty.set)
        self._gate = Gate(self._secrets)
        self._again_at: float | None = None
        self._last: ClusterUpdate | None = None
        labels = f"{GATEWAY_LABEL}={gateway},{SECTION_LABEL}"
        self._reflector = Reflector(client, config_maps(namespace, labels), self._sections)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Within it, the cluster is followed."""
        task = asyncio.create_task(self._reflector.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._secrets.stop()

    def missing(self) -> str:
        """Why there is nothing to serve yet."""
        if self._last is not None:
            return ""
        return self._sections.missing() or "waits for secrets"

    def load(self) -> ClusterUpdate:
        """What is served already, since all changes are followed; raises LookupError before there is any."""
        if self._last is None:
            raise LookupError(self.missing())
        return self._last

    async def watch(self) -> AsyncIterator[ClusterUpdate]:
        """An update after each change, the first as soon as there is something to serve."""
        while True:
            await self._change()
            update = self._update()
            if update is not None and update != self._last:
                self._last = update
                yield update

    async def _change(self) -> None:
        """Wait for a change and then for a moment of silence, so that a burst becomes one update."""
        await self._wait(None if self._again_at is None else self._again_at - monotonic())
        end = monotonic() + _LONGEST
        while monotonic() < end:
            self._dirty.clear()
            if not await self._wait(_QUIET):
                return

    async def _wait(self, seconds: float | None) -> bool:
        """Whether there was a change within so many seconds."""
        try:
            async with asyncio.timeout(None if seconds is None else max(0.0, seconds)):
                await self._dirty.wait()
        except TimeoutError:
            return False
        return True

    def _update(self) -> ClusterUpdate | None:
        published = self._sections.snapshot()
        if published is None:
            return self._without_gateway()
        passed = self._passed(published)
        self._again_at = passed.again_at
        if self._last is None and passed.again_at is not None:
            return None  # a pod that is ready serves all APIs, those with secrets among them
        errors = {**passed.errors, **self._sections.problems()}
        return ClusterUpdate(passed.snapshot, passed.secrets, errors, self._sections.version)

    def _passed(self, published: Snapshot) -> Passed:
        passed = self._gate.pass_through(published, monotonic())
        self._secrets.want(passed.wanted)
        return passed

    def _without_gateway(self) -> ClusterUpdate | None:
        """A gateway whose own section is gone serves on what it had, until its pods are taken away."""
        self._again_at = None
        if self._last is None:
            return None
        errors = {"": self._sections.missing()}
        return ClusterUpdate(self._last.snapshot, self._last.secrets, errors, self._sections.version)
