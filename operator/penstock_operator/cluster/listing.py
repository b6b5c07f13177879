"""Makes sure that nothing is missed: what a watch has not told is found by a list of names.

kopf tells of each object that it lists, but not when it is through, nor what was deleted while a watch was
broken. A list of the names alone, which costs the API server little, settles both: nothing is deleted or
published before all that is there is known.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from gateway_runtime.cluster.client import ClusterError
from penstock_operator.cluster.handlers import Sinks
from penstock_operator.cluster.kinds import Kind
from penstock_operator.cluster.kube import Kube

_LOG: Final = logging.getLogger(__name__)
_SETTLE: Final = 1.0
"""Seconds for the events of a listing to come in before names are compared again."""

_PATIENCE: Final = 30
"""Looks at names that were listed and are not known yet, before they are listed anew."""

Place = tuple[str, str]


@dataclass(slots=True)
class _Awaited:
    """What was listed and is not known yet, and how often that was looked at without progress."""

    places: set[Place]
    looks: int = 0


class Listing:
    """Compares what is known with what is there, for each kind that was listed."""

    def __init__(
        self, kube: Kube, sinks: Sinks, namespaces: tuple[str, ...], synced: Callable[[], None]
    ) -> None:
        self._kube = kube
        self._sinks = sinks
        self._namespaces = namespaces or ("",)
        self._synced = synced
        self._pending: dict[Kind, float] = {}
        """When each of them was last told of, in monotonic seconds."""
        self._awaited: dict[Kind, _Awaited] = {}
        self._known: set[Kind] = set()
        self._wake = asyncio.Event()

    def expect(self, kinds: Iterable[Kind]) -> None:
        """Compare these kinds; until then they do not count as known."""
        self._pending.update(dict.fromkeys(kinds, 0.0))
        self._wake.set()

    def relisted(self, kind: Kind) -> None:
        """A kind is being listed; it is compared once that is over."""
        self._pending[kind] = monotonic()
        self._awaited.pop(kind, None)
        self._wake.set()

    @property
    def missing(self) -> tuple[str, ...]:
        """The kinds that are not known yet."""
        return tuple(sorted(kind.name for kind in self._pending.keys() - self._known))

    async def run(self) -> None:
        """Compare, again and again."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(_SETTLE)
            for kind, told in tuple(self._pending.items()):
                if monotonic() - told >= _SETTLE:
                    await self._look(kind)
            if self._pending:
                self._wake.set()
            self._synced()

    async def _look(self, kind: Kind) -> None:
        awaited = self._awaited.get(kind)
        if awaited is None or awaited.looks >= _PATIENCE:
            told = self._pending[kind]
            try:
                awaited = _Awaited(await self._compare(kind))
            except ClusterError as error:
                _LOG.warning("%s cannot be listed: %s", kind.plural, error)
                return
            if self._pending[kind] != told:
                return  # listed anew meanwhile
            self._awaited[kind] = awaited
        left = awaited.places - self._sinks.of(kind).versions(kind).keys()
        awaited.looks = awaited.looks + 1 if len(left) == len(awaited.places) else 0
        awaited.places = left
        if not left:
            del self._awaited[kind]
            self._pending.pop(kind, None)
            self._known.add(kind)

    async def _compare(self, kind: Kind) -> set[Place]:
        """Forget what is no longer there; answers what is there."""
        sink = self._sinks.of(kind)
        before = sink.versions(kind).keys()
        listed = {
            (metadata.get("namespace", ""), str(metadata["name"]))
            for namespace in (self._namespaces if kind.namespaced else ("",))
            async for metadata in self._kube.names(kind, namespace)
        }
        for namespace, name in before - listed:
            sink.remove(kind, {"metadata": {"namespace": namespace, "name": name}})
        return listed
