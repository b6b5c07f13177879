"""Chooses the one replica that writes, by a Lease; the others know as much and take over at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import aiohttp
from kubernetes.aio.client import ApiClient, ApiException, V1Lease, V1ObjectMeta
from kubernetes.aio.leaderelection import electionconfig
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

_LOG: Final = logging.getLogger(__name__)
LOCK: Final = "penstock-operator"
_DURATION: Final = 15
_DEADLINE: Final = 10
_RETRY: Final = 2
_CALL: Final = 3.0
"""Seconds: how long a replica leads (15), is without an answer (10), pauses, and waits for one answer."""


@dataclass(frozen=True, slots=True)
class Election:
    """Where the Lease is, and the name of this replica."""

    namespace: str
    identity: str


_UNREACHED: Final = (aiohttp.ClientError, OSError, TimeoutError)


class _Lock(LeaseLock):
    """`LeaseLock` of kubernetes 37.0, with an API server that is away or silent as one that says no.

    It would raise out of the election where there is no answer, and wait for minutes for one. Nor does it
    make a Lease: it passes a bool where its own API asks for a text.
    """

    async def get(
        self, name: str, namespace: str
    ) -> tuple[bool, LeaderElectionRecord] | tuple[bool, Exception] | tuple[bool, None]:
        try:
            async with asyncio.timeout(_CALL):
                return await super().get(name, namespace)
        except _UNREACHED as error:
            return False, ApiException(0, f"{type(error).__name__}: {error}")

    async def create(self, name: str, namespace: str, election_record: LeaderElectionRecord) -> bool:
        body = V1Lease(metadata=V1ObjectMeta(name=name), spec=self.update_lease(election_record))
        try:
            async with asyncio.timeout(_CALL):
                await self.api_instance.create_namespaced_lease(namespace, body)
        except (ApiException, *_UNREACHED) as error:
            _LOG.warning("the Lease %s/%s cannot be made: %s", namespace, name, error)
            return False
        return True

    async def update(self, name: str, namespace: str, updated_record: LeaderElectionRecord) -> bool:
        try:
            async with asyncio.timeout(_CALL):
                return await super().update(name, namespace, updated_record)
        except _UNREACHED:
            return False


class Leader:
    """Whether this replica is the one that writes; `on_change` is told of each turn."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.is_leading: bool = False
        self._on_change = on_change

    def alone(self) -> None:
        """There is no other replica."""
        self.is_leading = True
        self._on_change()

    async def run(self, client: ApiClient, election: Election) -> None:
        """Stand for election, again and again."""
        while True:
            lock = _Lock(LOCK, election.namespace, election.identity, client)
            config = electionconfig.Config(lock, _DURATION, _DEADLINE, _RETRY, self._started, self._stopped)
            try:
                await LeaderElection(config).run()
            except Exception:
                _LOG.exception("the election of a leader failed")
            await self._stopped()
            await asyncio.sleep(_RETRY)

    async def _started(self) -> None:
        _LOG.info("this replica leads")
        self.is_leading = True
        self._on_change()
        await asyncio.Event().wait()

    async def _stopped(self) -> None:
        if self.is_leading:
            _LOG.warning("this replica leads no more")
        self.is_leading = False
        self._on_change()


@contextlib.asynccontextmanager
async def standing(leader: Leader, client: ApiClient, election: Election | None) -> AsyncIterator[None]:
    """Within it, the replica stands for election; without one, it leads."""
    if election is None:
        leader.alone()
        yield
        return
    task = asyncio.create_task(leader.run(client, election))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
