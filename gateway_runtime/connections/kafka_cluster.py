"""What a worker knows of one cluster: its brokers and their versions, looked up anew as it is used."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from time import monotonic
from typing import Final

from gateway_runtime.connections.kafka_broker import BrokerConnection, BrokerError, Way, connect_broker
from gateway_runtime.kafka.addresses import Address
from gateway_runtime.kafka.versions import Versions
from gateway_runtime.protocols.kafka.messages import Message

_LOG: Final = logging.getLogger(__name__)
_METADATA: Final = 3
_FRESH: Final = 30.0
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_MOST_BROKERS: Final = 10_000


class Cluster:
    """The cluster behind one API, as one worker sees it."""

    def __init__(self, name: str, bootstrap: Sequence[Address], way: Way) -> None:
        self._name = name
        self._bootstrap = list(bootstrap)
        self._way = way
        self._brokers: dict[int, Address] = {}
        self._versions: Versions = {}
        self._features: Message = {}
        self._looked_at = 0.0
        self._turn = random.randrange(1 << 16)  # noqa: S311 - spreads load
        self._looking: asyncio.Task[None] | None = None
        self._failures = 0
        self._not_before = 0.0
        self._failure = ""

    @property
    def versions(self) -> Versions:
        """What brokers know, as one of them said; empty until one was asked."""
        return self._versions

    @property
    def features(self) -> Message:
        """What the same broker said of features."""
        return self._features

    def learn(self, number: int, host: str, port: int) -> None:
        """A broker is there, as a response says that passes by."""
        if len(self._brokers) < _MOST_BROKERS:
            self._brokers[number] = Address(host, port)

    async def known(self) -> None:
        """Wait until the cluster is known; raises BrokerError where it cannot be reached."""
        if not self._brokers:
            await self._look()
        elif monotonic() - self._looked_at > _FRESH and self._looking is None:
            self._start().add_done_callback(_retrieve)

    async def connect(self, number: int | None) -> BrokerConnection:
        """A connection to a broker by its id, or to any. Raises BrokerError where there is none."""
        await self.known()
        for is_last in (False, True):
            address = self._any() if number is None else self._brokers.get(number)
            if address is None and is_last:
                raise BrokerError(f"the cluster {self._name} has no broker {number}")
            try:
                if address is not None:
                    return await connect_broker(address, self._way)
            except BrokerError as error:
                if is_last:
                    place = "a broker" if number is None else f"the broker {number}"
                    raise BrokerError(f"{place} of the cluster {self._name}: {error}") from error
            await self._look()
        raise AssertionError

    def _any(self) -> Address:
        self._turn += 1
        known = list(self._brokers.values()) or self._bootstrap
        return known[self._turn % len(known)]

    async def _look(self) -> None:
        """Look the brokers up, once for all who wait."""
        if self._looking is None:
            now = monotonic()
            if now < self._not_before:
                raise BrokerError(self._failure)
            self._start()
        assert self._looking is not None
        await asyncio.shield(self._looking)

    def _start(self) -> asyncio.Task[None]:
        self._looking = asyncio.ensure_future(self._look_up())
        self._looking.add_done_callback(self._on_looked)
        return self._looking

    def _on_looked(self, task: asyncio.Task[None]) -> None:
        self._looking = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures += 1
            pause = min(_LONGEST_PAUSE, _PAUSE * 2 ** min(self._failures, 8)) * random.uniform(0.5, 1)  # noqa: S311
            self._not_before = monotonic() + pause
            if self._failure != str(error):
                self._failure = str(error)
                _LOG.warning("%s", error)

    async def _look_up(self) -> None:
        failure = ""
        for address in self._candidates():
            try:
                await self._ask(address)
            except BrokerError as error:
                failure = failure or f"{address.host}:{address.port}: {error}"
            else:
                return
        raise BrokerError(f"the cluster {self._name} cannot be reached: {failure}")

    def _candidates(self) -> list[Address]:
        self._turn += 1
        at = self._turn % len(self._bootstrap)
        known = random.sample(list(self._brokers.values()), min(2, len(self._brokers)))
        return [*known, *self._bootstrap[at:], *self._bootstrap[:at]]

    async def _ask(self, address: Address) -> None:
        connection = await connect_broker(address, self._way)
        try:
            async with asyncio.timeout(self._way.patience):
                version = min(connection.versions[_METADATA][1], 12)
                response = await connection.ask(_METADATA, version, {"Topics": []})
        except TimeoutError:
            raise BrokerError("no answer to Metadata") from None
        finally:
            connection.close()
        self._brokers = {one["NodeId"]: Address(one["Host"], one["Port"]) for one in response["Brokers"]}
        self._versions, self._features = connection.versions, connection.features
        self._looked_at, self._failures, self._failure = monotonic(), 0, ""


def _retrieve(task: asyncio.Task[None]) -> None:
    """What became of a look that nobody waits for was logged."""
    if not task.cancelled():
        task.exception()
