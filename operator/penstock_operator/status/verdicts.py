"""Turns findings and what is served into conditions, which keep their time while their status stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from penstock_operator.graph.conditions import conditions_of
from penstock_operator.graph.types import ACCEPTED, RESOLVED_REFS, Finding, Report
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.status import Status, StatusCondition
from penstock_operator.status.serving import Served

PROGRAMMED: Final = "Programmed"
READY: Final = "Ready"
PENDING: Final = "Pending"
NOT_ACCEPTED: Final = "NotAccepted"
MESSAGE_LENGTH: Final = 32768


class Verdict(NamedTuple):
    """Whether a condition holds, and why."""

    type: str
    holds: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The time of a build; conditions that are alike are one object, as most of many thousands are."""

    now: datetime
    stamp: str
    shared: dict[tuple[Verdict, str, int], StatusCondition] = field(default_factory=dict)


class Moment(NamedTuple):
    """What conditions are stamped with: time, generation, and the status before."""

    clock: Clock
    generation: int
    before: Status | None


def found(parsed: Parsed, report: Report) -> tuple[Verdict, Verdict]:
    """Accepted and ResolvedRefs."""
    if not report.findings:
        return _ACCEPTED, _RESOLVED
    one, other = (
        Verdict(condition.type, condition.status == "True", condition.reason, condition.message)
        for condition in conditions_of(report)
    )
    return one, other


def programmed(served: Served) -> Verdict:
    """Whether all pods of the gateways that serve it serve its present content."""
    if served.error:
        return Verdict(PROGRAMMED, False, "PodError", served.error)
    if served.live == 0:
        return _NO_PODS
    return _PROGRAMMED if served.serving == served.live else _PENDING


def not_accepted() -> Verdict:
    """That the present generation is not served, as it is not accepted."""
    return _NOT_ACCEPTED


def not_programmed(reason: str, message: str) -> Verdict:
    """That nothing of it is served, by intent or by mistake."""
    return Verdict(PROGRAMMED, False, reason, message)


def ready(*verdicts: Verdict) -> Verdict:
    """Whether clients are served: not for the first reason that there is."""
    wrong = next((verdict for verdict in verdicts if not verdict.holds), None)
    return _READY if wrong is None else Verdict(READY, False, wrong.reason, wrong.message)


def settled(verdict: Verdict, moment: Moment) -> Verdict:
    """Leaves a resource programmed while only something beside it is on its way to the pods.

    What they serve of this generation does not change by that.
    """
    before = moment.before.condition(PROGRAMMED) if moment.before else None
    holds = before is not None and before.status == "True"
    if verdict is _PENDING and before and holds and before.observed_generation == moment.generation:
        return _PROGRAMMED
    return verdict


def clock(now: datetime) -> Clock:
    """The clock of a build."""
    return Clock(now, timestamp(now))


def conditions(verdicts: Iterable[Verdict], moment: Moment) -> tuple[StatusCondition, ...]:
    """The conditions of a status."""
    return tuple(_condition(verdict, moment) for verdict in verdicts)


def timestamp(moment: datetime) -> str:
    """A time as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_in_use(findings: Iterable[Finding]) -> bool:
    """Whether a resource with these findings takes part."""
    return not any(finding.excludes for finding in findings)


def _condition(verdict: Verdict, moment: Moment) -> StatusCondition:
    status = "True" if verdict.holds else "False"
    before = moment.before.condition(verdict.type) if moment.before else None
    same = before is not None and before.status == status
    since = before.last_transition_time if before and same else moment.clock.stamp
    shared, key = moment.clock.shared, (verdict, since, moment.generation)
    if key not in shared:
        shared[key] = StatusCondition(
            type=verdict.type,
            status=status,
            reason=verdict.reason,
            message=verdict.message[:MESSAGE_LENGTH],
            last_transition_time=since,
            observed_generation=moment.generation,
        )
    return shared[key]


_ACCEPTED = Verdict(ACCEPTED, True, ACCEPTED, "The resource is valid.")
_RESOLVED = Verdict(RESOLVED_REFS, True, RESOLVED_REFS, "All references are resolved.")
_READY = Verdict(READY, True, READY, "Clients are served.")
_PROGRAMMED = Verdict(PROGRAMMED, True, PROGRAMMED, "All pods serve this generation.")
_PENDING = Verdict(PROGRAMMED, False, PENDING, "Not all pods serve this generation yet.")
_NOT_ACCEPTED = Verdict(
    PROGRAMMED, False, NOT_ACCEPTED, "This generation is not accepted; a good one before it is served still."
)
_NO_PODS = Verdict(PROGRAMMED, False, "NoPods", "No pod of its gateways is alive.")
