"""What is published to what is handed to the workers: an API waits for its secrets, and holds up no other.

An API that serves keeps its last good section while a secret of the new one is missing; a new API waits for a
moment, then goes without: it answers 503 and says which secret is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.snapshot.references import (
    api_references,
    api_uris,
    gateway_uris,
    has_api_keys,
    listener_references,
    shortest_refreshes,
)
from gateway_runtime.snapshot.types import ApiEntry, GatewaySection, Snapshot

PATIENCE: Final = 2.0
"""Seconds that a new API waits for a secret that is missing."""
READING: Final = 30.0
"""Seconds that it waits for one that was not looked at yet, as when a pod with many of them starts."""


class Values(Protocol):
    """The secrets as they are known now."""

    def value(self, uri: str) -> SecretText | None:
        """The value; None where there is none."""
        ...

    def is_unread(self, uri: str) -> bool:
        """Whether it was not looked at yet."""
        ...

    def problem(self, uri: str) -> str:
        """What is wrong with it, without the value; empty where nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class Passed:
    """What to hand over, its secrets, what is wrong by API, all secrets to follow, and when to look again.

    `refreshes` says of some secrets how many seconds old they may get.
    """

    snapshot: Snapshot
    secrets: Mapping[str, SecretText]
    errors: Mapping[str, str]
    wanted: frozenset[str]
    refreshes: Mapping[str, float]
    again_at: float | None


@dataclass(frozen=True, slots=True)
class _Needs:
    """An entry and the secrets that it names itself."""

    entry: ApiEntry
    uris: frozenset[str]
    refreshes: Mapping[str, float]
    has_keys: bool

    def all(self, gateway: GatewaySection) -> frozenset[str]:
        return self.uris | gateway_uris(gateway) if self.has_keys else self.uris


@dataclass(slots=True)
class _Turn:
    """What one look at all APIs gathers."""

    now: float
    gateway: GatewaySection
    apis: dict[str, ApiEntry] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    refreshes: dict[str, float] = field(default_factory=dict)
    deadlines: list[float] = field(default_factory=list)

    def want(self, uris: frozenset[str], refreshes: Mapping[str, float]) -> None:
        """Have these followed, some of them this often."""
        self.wanted |= uris
        for uri, refresh in refreshes.items():
            self.refreshes[uri] = min(refresh, self.refreshes.get(uri, refresh))


class Gate:
    """Remembers of each API what was last good, and since when it waits."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._needs: dict[str, _Needs] = {}
        self._good: dict[str, _Needs] = {}
        self._good_gateway: GatewaySection | None = None
        self._since: dict[str, float] = {}
        self._secrets: Mapping[str, SecretText] = {}

    def pass_through(self, published: Snapshot, now: float) -> Passed:
        """What to hand over at this moment, in monotonic seconds."""
        turn = _Turn(now, published.gateway)
        self._pass_gateway(published.gateway, turn)
        self._pass_certificates(turn)
        self._forget(published)
        for key, entry in published.apis.items():
            self._pass_api(self._needs_of(key, entry), key, turn)
        subscriptions = {key: one for key, one in published.subscriptions.items() if key in turn.apis}
        snapshot = Snapshot(gateway=turn.gateway, apis=turn.apis, subscriptions=subscriptions)
        again_at = min(turn.deadlines, default=None)
        wanted = frozenset(turn.wanted)
        return Passed(snapshot, self._found(turn.used), turn.errors, wanted, turn.refreshes, again_at)

    def _pass_gateway(self, section: GatewaySection, turn: _Turn) -> None:
        """A pepper that is missing leaves the gateway's section before."""
        turn.wanted |= gateway_uris(section)
        lacking = self._lacking(gateway_uris(section))
        if not lacking:
            self._good_gateway = section
            return
        turn.errors[""] = lacking
        if self._good_gateway is not None:
            turn.gateway = self._good_gateway
            turn.wanted |= gateway_uris(self._good_gateway)

    def _pass_certificates(self, turn: _Turn) -> None:
        """Those of listeners; one that is missing is told of, and holds up nothing but a pod's start."""
        references = [
            one for listener in turn.gateway.kafka_listeners for one in listener_references(listener)
        ]
        uris = frozenset(reference.uri for reference in references)
        turn.want(uris, shortest_refreshes(references))
        turn.used |= uris
        lacking = self._lacking(uris)
        if not lacking:
            self._since.pop("", None)
            return
        turn.errors[""] = "; ".join(filter(None, [turn.errors.get("", ""), lacking]))
        self._wait("", uris, turn)

    def _pass_api(self, needs: _Needs, key: str, turn: _Turn) -> None:
        uris = needs.all(turn.gateway)
        turn.want(uris, needs.refreshes)
        lacking = self._lacking(uris)
        if not lacking:
            self._since.pop(key, None)
            self._good[key] = needs
            turn.apis[key] = needs.entry
            turn.used |= uris
            return
        turn.errors[key] = lacking
        good = self._good.get(key)
        if good is not None and not self._lacking(good.all(turn.gateway)):
            turn.apis[key] = good.entry
            turn.used |= good.all(turn.gateway)
            turn.wanted |= turn.used
            return
        if not self._wait(key, uris, turn):
            turn.apis[key] = needs.entry
            turn.used |= uris

    def _wait(self, key: str, uris: frozenset[str], turn: _Turn) -> bool:
        """Whether there is time left for what is missing; then there will be another turn."""
        patience = READING if any(map(self._values.is_unread, uris)) else PATIENCE
        deadline = self._since.setdefault(key, turn.now) + patience
        if turn.now >= deadline:
            return False
        turn.deadlines.append(deadline)
        return True

    def _lacking(self, uris: frozenset[str]) -> str:
        """Which secrets are missing, as text."""
        if not uris:
            return ""
        missing = [uri for uri in sorted(uris) if self._values.value(uri) is None]
        return "; ".join(dict.fromkeys(self._values.problem(uri) for uri in missing))

    def _needs_of(self, key: str, entry: ApiEntry) -> _Needs:
        known = self._needs.get(key)
        if known is None or known.entry is not entry:
            section = entry.section
            refreshes = shortest_refreshes(api_references(section))
            known = self._needs[key] = _Needs(entry, api_uris(section), refreshes, has_api_keys(section))
        return known

    def _forget(self, published: Snapshot) -> None:
        for known in (self._needs, self._good, self._since):
            for key in [key for key in known if key and key not in published.apis]:
                del known[key]

    def _found(self, uris: set[str]) -> Mapping[str, SecretText]:
        """The values; the same object as before where none has changed, so that this is seen at once."""
        values = {uri: value for uri in uris if (value := self._values.value(uri)) is not None}
        if values != self._secrets:
            self._secrets = values
        return self._secrets
