"""Status changes -> writes and Events; a state that is about to pass is not written.

An edit is served within a fraction of a second: a status that only says that this is under way waits for a
moment, so that an edit costs one write and not two.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from penstock_operator.cluster.kinds import BY_NAME
from penstock_operator.cluster.kube import MANAGER, Kube
from penstock_operator.cluster.writer import Write
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.meta import API_VERSION
from penstock_operator.resources.status import Status
from penstock_operator.status.build import Change
from penstock_operator.status.events import Transition, transitions
from penstock_operator.status.verdicts import PENDING, PROGRAMMED

_PATIENCE: Final = 1.0
_MAX_NAME: Final = 200
_A_ROUND: Final = 512
"""A pod that joins changes the status of each API: an edit must not wait until all of them are written."""

_EVENTS: Final = 100
"""Of a round, and of all rounds of a backlog together. More news at once is told by the conditions alone:
thousands of Events would be read by nobody."""


@dataclass(slots=True)
class _Pending:
    """A status to write; `old` is what was written last, `since` when it began to wait."""

    old: Status | None
    new: Status
    since: float


class StatusWriter:
    """Holds what is to be written until it is; `clock` tells monotonic seconds."""

    def __init__(self, kube: Kube, identity: str, clock: Callable[[], float]) -> None:
        self._kube = kube
        self._identity = identity
        self._clock = clock
        self._pending: dict[ResourceId, _Pending] = {}
        self._again_at: float | None = None
        self._events_left: int = _EVENTS

    @property
    def next_write(self) -> float | None:
        """When a status that waits is to be written."""
        return self._again_at

    def take(self, changes: Mapping[ResourceId, Change]) -> None:
        """Statuses that have become others."""
        now = self._clock()
        for name, change in changes.items():
            before = self._pending.get(name)
            old = change.old if before is None else before.old
            self._pending[name] = _Pending(old, change.new, before.since if before else now)

    def writes(
        self, there: Mapping[ResourceId, KubeObject], is_paused: Callable[[str], bool]
    ) -> Iterator[Write]:
        """The statuses to write now, of resources that are there and whose writes are not paused."""
        now, self._again_at = self._clock(), None
        left = _A_ROUND
        if len(self._pending) <= _A_ROUND:
            self._events_left = _EVENTS
        for name, pending in list(self._pending.items()):
            if name not in there or pending.new == pending.old:
                del self._pending[name]
            elif is_paused(_title(name)):
                continue
            elif left == 0:
                self._again_at = now
                return
            elif _passes(pending.new) and now < pending.since + _PATIENCE:
                end = pending.since + _PATIENCE
                self._again_at = end if self._again_at is None else min(self._again_at, end)
            else:
                news = transitions(pending.old, pending.new) if self._events_left > 0 else ()
                self._events_left -= len(news)
                left -= 1
                yield self._write(name, pending, news, there[name])

    def _write(
        self, name: ResourceId, pending: _Pending, news: tuple[Transition, ...], there: KubeObject
    ) -> Write:
        async def write() -> None:
            status = msgspec.to_builtins(pending.new)
            await self._kube.patch_status(BY_NAME[name.kind], name.namespace, name.name, status)
            if self._pending.get(name) is pending:
                del self._pending[name]
            else:
                self._pending[name].old = pending.new
            for one in news:
                await self._kube.create(self._event(name, there, one))

        return Write(_title(name), write)

    def _event(self, name: ResourceId, there: KubeObject, news: Transition) -> KubeObject:
        """An Event (events.k8s.io/v1)."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{name.name[:_MAX_NAME]}.{uuid.uuid4().hex[:16]}",
                "namespace": name.namespace,
            },
            "eventTime": now,
            "reportingController": f"penstock.dev/{MANAGER}",
            "reportingInstance": self._identity[:128],
            "action": "Reconcile",
            "type": news.type,
            "reason": news.reason,
            "note": news.message,
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": name.kind,
                "namespace": name.namespace,
                "name": name.name,
                "uid": there["metadata"].get("uid", ""),
            },
        }


def _title(name: ResourceId) -> str:
    return f"status of {name}"


def _passes(status: Status) -> bool:
    """Whether a status only says that something is under way."""
    condition = status.condition(PROGRAMMED)
    return condition is not None and condition.status != "True" and condition.reason == PENDING
