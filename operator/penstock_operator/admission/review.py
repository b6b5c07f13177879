"""Decides about one resource that is written to the cluster, in the words of `penstock validate`.

Refused is what a resource would have as new errors. What it only refers to may come later, as GitOps applies
in any order: that is a warning. An edit is not refused for what was wrong before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from penstock_operator.admission.neighbours import Neighbours, id_of, neighbourhood
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.types import RESOLVED_REFS, Finding, Graph, Report, ResourceId, problems_of
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.resources.problems import Problem

_COMES_LATER = frozenset(("NoPlans", "KeyPending"))
"""Findings that every first apply would have: plans come after their API, keys after their Subscription."""

_Known = frozenset[tuple[ResourceId, str, str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a resource is refused (empty: it is not), and what its author should know anyway.

    `is_unresolved`: it refers to what is not there, or not yet known to be.
    """

    refusals: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    is_unresolved: bool = False


def review(candidate: KubeObject, old: KubeObject | None, neighbours: Neighbours) -> Verdict:
    """The verdict on a resource that is created (`old` is None) or replaces its older version."""
    if "deletionTimestamp" in candidate["metadata"] or (old and old.get("spec") == candidate.get("spec")):
        return Verdict()
    outcome = parse(_manifest(candidate))
    before = parse(_manifest(old)) if old else None
    if isinstance(outcome, tuple):
        known = {problem.message for problem in before} if isinstance(before, tuple) else set()
        return Verdict(tuple(problem for problem in outcome if problem.message not in known))
    if not isinstance(outcome, Parsed):
        return Verdict()
    return _linked(outcome, before if isinstance(before, Parsed) else None, neighbours)


def _linked(candidate: Parsed, old: Parsed | None, neighbours: Neighbours) -> Verdict:
    around = neighbourhood(candidate, neighbours)
    if old is not None:
        around = neighbourhood(old, neighbours) | around
    memo, broken = Memo(), neighbours.broken
    build = partial(build_graph, memo=memo, broken=broken, services=neighbours.services)
    before = build([*around.values(), *([old] if old else ())])
    after = build([*around.values(), candidate])
    known = frozenset(
        (report.id, found.reason, found.message) for report in before.reports for found in report.findings
    )
    return _verdict(after, candidate, known)


def _verdict(graph: Graph, candidate: Parsed, known: _Known) -> Verdict:
    own = id_of(candidate)
    refusals, warnings, is_unresolved = [], [], False
    for report, finding in _findings(graph.reports):
        is_new = (report.id, finding.reason, finding.message) not in known
        if report.id != own:
            # What it does to others is theirs to mend, or its author's to take back.
            warnings += [(report, finding)] if is_new and finding.is_error else []
        elif finding.condition == RESOLVED_REFS:
            is_unresolved = True
            warnings.append((report, replace(finding, severity="Warning")))
        elif not finding.is_error:
            warnings += [(report, finding)] if finding.reason not in _COMES_LATER else []
        elif is_new:
            refusals.append((report, finding))
    return Verdict(_problems(refusals), _problems(warnings), is_unresolved)


def _findings(reports: Iterable[Report]) -> Iterator[tuple[Report, Finding]]:
    return ((report, finding) for report in reports for finding in report.findings)


def _problems(found: Iterable[tuple[Report, Finding]]) -> tuple[Problem, ...]:
    return problems_of(replace(report, findings=(finding,)) for report, finding in found)


def _manifest(resource: KubeObject) -> Manifest:
    return Manifest("", 0, 0, resource)
