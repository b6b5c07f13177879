"""Turns the change of a status into the Events that tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from penstock_operator.graph.credentials import KEY_PENDING
from penstock_operator.resources.status import Status, StatusCondition
from penstock_operator.status.verdicts import NOT_ACCEPTED, PENDING, PROGRAMMED, READY

EVENT_LENGTH = 1024
"""What the API server takes as the message of an Event."""

_FOLLOWING = frozenset((PENDING, KEY_PENDING, NOT_ACCEPTED))
"""Reasons that are on their way to another, or only follow from another condition."""


class Transition(NamedTuple):
    """An Event to emit: `type` is that of a Kubernetes Event."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def transitions(old: Status | None, new: Status) -> tuple[Transition, ...]:
    """The Events of conditions that have become others, each reason once.

    That a new resource is valid is no news until it is served, and Ready is none beside Programmed.
    """
    events = (event for one in new.conditions for event in _events(_before(one, old), one))
    found: dict[str, Transition] = {}
    for event in events:
        found.setdefault(event.reason, event)
    if PROGRAMMED in found:
        found.pop(READY, None)
    return tuple(found.values())


def _before(condition: StatusCondition, old: Status | None) -> StatusCondition | None:
    return old.condition(condition.type) if old else None


def _events(before: StatusCondition | None, now: StatusCondition) -> Iterator[Transition]:
    if now.status == "True":
        if _is_news(before, now.type):
            yield Transition("Normal", now.type, now.message[:EVENT_LENGTH])
    elif now.reason not in _FOLLOWING and (before is None or before.reason != now.reason):
        yield Transition("Warning", now.reason, now.message[:EVENT_LENGTH])


def _is_news(before: StatusCondition | None, kind: str) -> bool:
    if before is None:
        return kind in (PROGRAMMED, READY)
    return before.status != "True"
