"""A provider that has to be asked -> documents that are followed: asked again in time, and after failures.

A document with a lease is not read anew while its lease can be renewed: some engines make a new credential at
each read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from gateway_runtime.secrets.clock import Clock, sooner
from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes
from gateway_runtime.secrets.provider import ProviderError

_LOG: Final = logging.getLogger(__name__)
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_LEASE_PART: Final = 2 / 3
"""How much of a lease goes by before it is renewed."""
_WORN: Final = 0.5
"""A renewal that grants less than this part of the first lease comes close to its end: read anew."""


@dataclass(frozen=True, slots=True)
class Lease:
    """For how many seconds values hold; `id` is empty where only a new read can make it longer."""

    seconds: float
    id: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """All values of a document at one moment; None: it is not there."""

    values: Mapping[str, SecretBytes] | None = field(repr=False)
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How old values may get: `refresh` seconds until they are read anew, `max_age` until dropped."""

    refresh: float
    max_age: float | None = None


Resolve = Callable[[str], Awaitable[Resolved]]
Renew = Callable[[Lease], Awaitable[Lease]]


class Poller:
    """Follows documents of one provider. `resolve` and `renew` raise ProviderError where they fail."""

    def __init__(self, resolve: Resolve, renew: Renew, clock: Clock) -> None:
        self._resolve = resolve
        self._renew = renew
        self._clock = clock
        self._retry = asyncio.Event()

    def retry(self) -> None:
        """Ask at once for what could not be had."""
        waited, self._retry = self._retry, asyncio.Event()
        waited.set()

    async def follow(self, path: str, pace: Pace, document: Document) -> NoReturn:
        """Keep a document up to date."""
        failures = 0
        lease: Lease | None = None
        while True:
            try:
                lease = await self._ask(path, lease, document)
            except ProviderError as error:
                lease = None
                document.trouble(str(error))
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures, 20))
                failures += 1
                await self._wait(sooner(min(pause, pace.refresh)), pace, document)
            else:
                failures = 0
                await self._clock.sleep(sooner(_pause(pace, lease)))

    async def _ask(self, path: str, held: Lease | None, document: Document) -> Lease | None:
        """Renew the lease of what is known, or else read it; answers the lease that holds now."""
        if held is not None and held.id:
            renewed = await self._renewed(held, document)
            if renewed is not None:
                return renewed
        try:
            resolved = await self._resolve(path)
        except ProviderError:
            raise
        except Exception as error:  # a provider's defect is the trouble of this document alone
            _LOG.error("%s: %s", document.name, type(error).__name__)
            raise ProviderError(f"reading it failed: {type(error).__name__}") from None
        if resolved.values is None:
            document.gone()
            document.trouble("")
        else:
            document.put(resolved.values)
        return resolved.lease

    async def _renewed(self, held: Lease, document: Document) -> Lease | None:
        try:
            renewed = await self._renew(held)
        except ProviderError as error:
            _LOG.info("%s: its lease ends, it is read anew: %s", document.name, error)
            return None
        if renewed.seconds < held.seconds * _WORN:
            return None
        document.confirm()
        return Lease(held.seconds, held.id) if renewed.seconds >= held.seconds else renewed

    async def _wait(self, seconds: float, pace: Pace, document: Document) -> None:
        """Wait before asking again, and drop on the way what gets too old."""
        if pace.max_age is not None:
            left = pace.max_age - document.age()
            if 0.0 < left < seconds:
                seconds = left
            document.expire(pace.max_age)
        retry = asyncio.ensure_future(self._retry.wait())
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((retry, sleep), return_when=asyncio.FIRST_COMPLETED)
        finally:
            retry.cancel()
            sleep.cancel()
        if pace.max_age is not None:
            document.expire(pace.max_age)


def _pause(pace: Pace, lease: Lease | None) -> float:
    if lease is None or lease.seconds <= 0:
        return pace.refresh
    held = lease.seconds * _LEASE_PART
    return held if lease.id else min(pace.refresh, held)
