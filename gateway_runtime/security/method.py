"""What each kind of plan security answers for one request, and what it needs from its surroundings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from gateway_runtime.exchange import Exchange, Reply, Request

if TYPE_CHECKING:
    from gateway_runtime.security.keys import KeySet

AdmissionFunction = Callable[[Exchange], Reply | Awaitable[Reply | None] | None]
"""Lets a request in (None) or answers it; awaits only where keys have to be fetched."""


class Absent:
    """The request carries no credential of this kind."""

    __slots__ = ()


ABSENT = Absent()

Strip = Callable[[Request], None]
"""Takes a credential out of a request."""

Verdict = Absent | Reply | Awaitable[Reply | None] | None


class Method(Protocol):
    """One plan's security, compiled."""

    missing: str
    """The error key of a request without this credential."""

    propagate: bool
    """Whether the backend gets the credential."""

    places: dict[str, Strip]
    """Where the credential may be (`header NAME`, `query NAME`), and what takes it out there."""

    def check(self, exchange: Exchange) -> Verdict:
        """None where the request is let in: the exchange then names plan, subscription and claims."""
        ...

    def is_present(self, exchange: Exchange) -> bool:
        """Whether the request carries a credential of this kind."""
        ...


class KeySetSource(Protocol):
    """Where a JWKS comes from."""

    version: int
    """Changes whenever the keys do."""

    def current(self) -> KeySet | None:
        """The keys to use now, None where there are none yet; starts a refresh where one is due."""
        ...

    async def fetch(self) -> KeySet | None:
        """The keys after a look at the source."""
        ...


class SecurityEnvironment(Protocol):
    """What plan security may use while it compiles."""

    def condition(self, text: str) -> Callable[[Exchange], bool]:
        """Compile a selection rule."""
        ...

    def secret(self, uri: str) -> str:
        """The value of a secret; raises KeyError where it is not there."""
        ...

    def pepper(self) -> bytes:
        """What the digests of API keys are keyed with; empty where they are plain."""
        ...

    def jwks(self, url: str, refresh: float) -> KeySetSource:
        """The keys at a URL, looked at anew after `refresh` seconds."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...
