"""All secrets of a process in one place: URIs -> documents that are followed -> values.

A document is followed once, however many references name a value in it, and forgotten when none does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gateway_runtime.secrets.clock import Clock, SystemClock
from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes, SecretText
from gateway_runtime.secrets.locator import KUBERNETES, Locator, ProviderId, locate
from gateway_runtime.secrets.provider import Provider
from gateway_runtime.secrets.registry import TOKENS, Make, Surroundings, make_provider, provider_id
from gateway_runtime.snapshot.providers import SecretProvider
from gateway_runtime.snapshot.references import BINARY_PREFIX, credentials
from gateway_runtime.tasks import end_tasks

_located = lru_cache(maxsize=1 << 16)(locate)

_Place = tuple[ProviderId, str]


@dataclass(frozen=True, slots=True)
class ProviderState:
    """What metrics tell of a provider: documents followed, the age of the oldest values, failed attempts."""

    provider: str
    documents: int
    age: float
    failures: int


@dataclass(slots=True)
class _Followed:
    document: Document
    refresh: float
    task: asyncio.Task[None]


@dataclass(slots=True)
class _Configured:
    wire: SecretProvider | None
    provider: Provider
    failures: int = 0
    """Those of documents that are forgotten."""


class SecretStore:
    """Follows just those secrets that are wanted; `changed` is called after each change."""

    def __init__(
        self,
        kubernetes: Provider,
        changed: Callable[[], None],
        clock: Clock | None = None,
        tokens: Path = TOKENS,
        make: Make = make_provider,
    ) -> None:
        self._changed = changed
        self._surroundings = Surroundings(self.value, clock or SystemClock(), tokens)
        self._make = make
        self._providers: dict[ProviderId, _Configured] = {(KUBERNETES, ""): _Configured(None, kubernetes)}
        self._followed: dict[_Place, _Followed] = {}
        self._credentials: dict[ProviderId, dict[str, SecretText | None]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def want(
        self, providers: Sequence[SecretProvider], uris: Iterable[str], refreshes: Mapping[str, float]
    ) -> None:
        """Follow these secrets and no other; `refreshes`: how many seconds old some may get."""
        self._configure(providers)
        places = self._places({*uris, *self._credential_uris(uris)}, refreshes)
        for place in self._followed.keys() - places.keys():
            self._forget(place)
        for place, refresh in places.items():
            known = self._followed.get(place)
            if known is None or known.refresh != refresh:
                self._follow(place, refresh)

    def value(self, uri: str) -> SecretText | None:
        """The value that goes to the workers under a URI; None where there is none."""
        found = self._found(uri)
        if found is None:
            return None
        if uri.startswith(BINARY_PREFIX):
            return found.base64()
        return found.decoded()

    def is_unread(self, uri: str) -> bool:
        """Whether a secret was not looked at yet."""
        locator = _located(uri)
        if locator is None or locator.provider not in self._providers:
            return False
        known = self._followed.get((locator.provider, locator.path))
        return known is None or known.document.is_unread()

    def problem(self, uri: str) -> str:
        """What is wrong with a secret, without its value; empty where nothing is."""
        locator = _located(uri)
        if locator is None:
            return f"{uri} names no secret of a known provider"
        configured = self._providers.get(locator.provider)
        if configured is None:
            return f"the gateway has no secret provider {locator.provider[1]} of type {locator.provider[0]}"
        known = self._followed.get((locator.provider, locator.path))
        if known is None:
            return f"{configured.provider.describe(locator.path)}: it is not read yet"
        if self._found(uri) is not None and self.value(uri) is None:
            return f"{known.document.name}: the value of {locator.key or 'it'} is no UTF-8 text"
        return known.document.problem(locator.key)

    def states(self) -> list[ProviderState]:
        """How the providers in use are."""
        return [
            self._state(identity, configured)
            for identity, configured in self._providers.items()
            if configured.failures or any(place[0] == identity for place in self._followed)
        ]

    async def stop(self) -> None:
        """Follow nothing any more."""
        tasks = [followed.task for followed in self._followed.values()]
        for place in list(self._followed):
            self._forget(place)
        await end_tasks(tasks)
        for identity in list(self._providers):
            self._close(self._providers.pop(identity).provider)
        await asyncio.gather(*self._closing, return_exceptions=True)

    # -- providers

    def _configure(self, providers: Sequence[SecretProvider]) -> None:
        wires = {provider_id(wire): wire for wire in providers}
        for identity in [one for one in self._providers if one[0] != KUBERNETES and one not in wires]:
            for place in [place for place in self._followed if place[0] == identity]:
                self._forget(place)
            self._close(self._providers.pop(identity).provider)
        for identity, wire in wires.items():
            self._provide(identity, wire)

    def _provide(self, identity: ProviderId, wire: SecretProvider) -> None:
        """Have a provider as it is configured now; values known of it before stay."""
        known = self._providers.get(identity)
        if known is not None and known.wire == wire:
            return
        failures = 0
        if known is not None:
            failures = known.failures
            self._close(known.provider)
        self._providers[identity] = _Configured(wire, self._make(wire, self._surroundings), failures)
        for place in [place for place in self._followed if place[0] == identity]:
            self._follow(place, self._followed[place].refresh)

    def _close(self, provider: Provider) -> None:
        task = asyncio.ensure_future(provider.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _credential_uris(self, uris: Iterable[str]) -> set[str]:
        """What the providers of these secrets log in with."""
        used = {locator.provider for uri in uris if (locator := _located(uri)) is not None}
        needed: dict[ProviderId, dict[str, SecretText | None]] = {}
        for identity in used & self._providers.keys():
            wire = self._providers[identity].wire
            if wire is not None and (named := [reference.uri for reference in credentials(wire)]):
                needed[identity] = {uri: self.value(uri) for uri in named}
        self._credentials = needed
        return {uri for named in needed.values() for uri in named}

    def _on_change(self) -> None:
        """Have providers log in anew where a credential of theirs has changed."""
        for identity, known in self._credentials.items():
            now = {uri: self.value(uri) for uri in known}
            if now != known:
                self._credentials[identity] = now
                self._providers[identity].provider.retry()
        self._changed()

    # -- documents

    def _places(self, uris: set[str], refreshes: Mapping[str, float]) -> dict[_Place, float]:
        """The documents of these URIs, with the shortest time that a reference asks for."""
        places: dict[_Place, float] = {}
        for uri in uris:
            locator = _located(uri)
            if locator is None or locator.provider not in self._providers:
                continue
            place = (locator.provider, locator.path)
            asked = [one for one in (places.get(place, 0.0), refreshes.get(uri, 0.0)) if one > 0]
            places[place] = min(asked, default=0.0)
        return places

    def _follow(self, place: _Place, refresh: float) -> None:
        """Begin to follow a document, or begin anew; what is known of it stays."""
        known = self._followed.get(place)
        identity, path = place
        provider = self._providers[identity].provider
        if known is not None:
            known.task.cancel()
            document = known.document
        else:
            document = Document(provider.describe(path), self._on_change, self._surroundings.clock.now)
        task = asyncio.ensure_future(provider.follow(path, refresh, document))
        self._followed[place] = _Followed(document, refresh, task)

    def _forget(self, place: _Place) -> None:
        followed = self._followed.pop(place)
        followed.task.cancel()
        self._providers[place[0]].failures += followed.document.failures

    def _found(self, uri: str) -> SecretBytes | None:
        locator: Locator | None = _located(uri)
        if locator is None:
            return None
        known = self._followed.get((locator.provider, locator.path))
        return None if known is None else known.document.value(locator.key)

    def _state(self, identity: ProviderId, configured: _Configured) -> ProviderState:
        documents = [one.document for place, one in self._followed.items() if place[0] == identity]
        return ProviderState(
            "/".join(filter(None, identity)),
            len(documents),
            max((document.age() for document in documents), default=0.0),
            configured.failures + sum(document.failures for document in documents),
        )
