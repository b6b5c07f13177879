"""One loop that makes the cluster what the resources say: wait, gather changes, run the pipeline, write.

Level-triggered: a round starts from all that is known at that moment, whatever events led to it, and a write
that fails is found anew by a later round. Only the replica that leads writes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from penstock_operator.cluster.config_maps import ConfigMapWork
from penstock_operator.cluster.gateways import GatewayWork
from penstock_operator.cluster.heap import Heap
from penstock_operator.cluster.history import History
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.metrics import Metrics
from penstock_operator.cluster.observation import Told, observation
from penstock_operator.cluster.observed import Observed
from penstock_operator.cluster.pipeline import ClusterPipeline, Inputs, Outcome
from penstock_operator.cluster.publisher import Publication, Publisher
from penstock_operator.cluster.secrets import OwnSecrets
from penstock_operator.cluster.statuses import StatusWriter
from penstock_operator.cluster.store import Contents, Store
from penstock_operator.cluster.writer import Writer
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.kube import KubeObject
from penstock_operator.status.build import Built, StatusMemo, build_statuses

_LOG: Final = logging.getLogger(__name__)
_QUIET: Final = 0.02
_LONGEST: Final = 0.2
"""Seconds: a round starts after so much silence, or so long after the first change."""
_FAILURE_PAUSE: Final = 1.0
_STUCK: Final = 300.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a round works with."""

    store: Store
    observed: Observed
    kube: Kube
    secrets: OwnSecrets
    gateways: GatewayWork
    config_maps: ConfigMapWork
    history: History
    statuses: StatusWriter
    writer: Writer
    metrics: Metrics


class Reconciler:
    """Runs rounds while `may_write` says so."""

    def __init__(self, parts: Parts, may_write: Callable[[], bool]) -> None:
        self._parts = parts
        self._may_write = may_write
        self._pipeline = ClusterPipeline()
        self._publisher = Publisher()
        self._status_memo = StatusMemo()
        self._heap = Heap()
        self._dirty = asyncio.Event()
        self._next_change: float | None = None
        self._round_began: float | None = None

    def wake(self) -> None:
        """Something has changed."""
        self._dirty.set()

    def not_healthy(self) -> str:
        """Why the loop does not turn; empty where it does."""
        began = self._round_began
        if began is not None and monotonic() - began > _STUCK:
            return f"a round has taken {monotonic() - began:.0f} s"
        return ""

    async def run(self) -> None:
        """Round after round."""
        while True:
            await self._change()
            if not self._may_write():
                continue
            self._round_began = monotonic()
            try:
                await self._round()
            except Exception as error:  # a round that fails is tried again: the loop must go on
                _LOG.exception("a round failed")
                self._parts.metrics.failure(type(error).__name__)
                await asyncio.sleep(_FAILURE_PAUSE)
                self._dirty.set()
            self._round_began = None

    async def _change(self) -> None:
        """Wait for a change or a moment that was noted, then for a little silence."""
        await self._wait(self._seconds_left())
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

    def _seconds_left(self) -> float | None:
        parts = self._parts
        moments = [parts.writer.next_attempt, parts.statuses.next_write, parts.observed.next_silence()]
        left = [moment - monotonic() for moment in moments if moment is not None]
        if self._next_change is not None:
            left.append(self._next_change - datetime.now(UTC).timestamp())
        return min(left, default=None)

    async def _round(self) -> None:
        parts = self._parts
        with self._timed("pipeline"):
            peppers = parts.secrets.peppers()
            outcome = await asyncio.to_thread(self._pipeline.run, self._inputs(peppers))
        self._next_change = outcome.graph.next_change
        if await self._recall(outcome):
            self._dirty.set()
            return
        with self._timed("publish"):
            await parts.writer.run(parts.secrets.missing(outcome.serving, peppers))
            for writes in parts.gateways.applies(outcome):
                await parts.writer.run(writes)
            publication = self._publication(outcome)
            await parts.writer.run(parts.config_maps.writes(publication))
        with self._timed("report"):
            await self._report(outcome)
        with self._timed("clean"):
            await parts.writer.run([*parts.config_maps.deletes(publication), *parts.gateways.deletes()])
        parts.writer.end_round()
        self._heap.settle(len(parts.store.resources))
        self._count()

    def _inputs(self, peppers: Mapping[str, bytes]) -> Inputs:
        store = self._parts.store
        resources, namespaces = dict(store.resources), dict(store.namespaces)
        return Inputs(resources, store.broken(), namespaces, peppers, datetime.now(UTC), dict(store.services))

    async def _recall(self, outcome: Outcome) -> bool:
        """Whether good versions of broken resources were found in the history."""
        if not outcome.lost:
            return False
        good = await self._parts.history.good_versions(outcome.lost, self._there())
        if good:
            self._pipeline.remember(good)
        return bool(good)

    def _publication(self, outcome: Outcome) -> Publication:
        gateways = {key: node.gateway for key, node in outcome.serving.gateways.items()}
        keeps = frozenset(name.key for name in outcome.lost if name.kind == "ApiDefinition")
        return self._publisher.compare(gateways, outcome.snapshots, self._parts.observed.config_maps, keeps)

    async def _report(self, outcome: Outcome) -> None:
        parts = self._parts
        built = Built(outcome.graph, outcome.serving, outcome.snapshots)
        seen = observation(
            outcome, parts.observed, parts.store, Told(parts.secrets.versions(), parts.writer.taken)
        )
        changes = await asyncio.to_thread(build_statuses, built, seen, self._status_memo)
        parts.statuses.take(changes)
        broken = frozenset(
            report.id for report in outcome.graph.reports if any(found.is_error for found in report.findings)
        )
        await parts.writer.run(
            [
                *parts.secrets.keys(outcome.graph.keys_to_make),
                *parts.history.writes(outcome.graph, broken, seen.now),
                *parts.statuses.writes(self._there(), parts.writer.is_paused),
            ]
        )

    def _there(self) -> Mapping[ResourceId, KubeObject]:
        """All of users' objects as data, the unparsed ones too."""
        return Contents(self._parts.store)

    def _count(self) -> None:
        metrics = self._parts.metrics
        metrics.queue.labels("dirty").set(int(self._dirty.is_set()))
        metrics.queue.labels("failing").set(self._parts.writer.failing)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        begun = monotonic()
        try:
            yield
        finally:
            self._parts.metrics.rounds.labels(part).observe(monotonic() - begun)
