"""Turns findings into what people see: status conditions of Kubernetes, one report a manifest."""

from __future__ import annotations

from collections.abc import Iterable

from penstock_operator.graph.types import ACCEPTED, RESOLVED_REFS, Condition, Finding, Report
from penstock_operator.manifests.reader import format_path
from penstock_operator.resources.secret import SecretResource

_MESSAGES = {ACCEPTED: "The resource is valid.", RESOLVED_REFS: "All references are resolved."}


def conditions_of(report: Report) -> tuple[Condition, ...]:
    """The conditions Accepted and ResolvedRefs of a resource with these findings (which may be none)."""
    resource = report.parsed.resource
    if isinstance(resource, SecretResource):
        return ()
    generation = resource.metadata.generation
    return tuple(_condition(kind, report.findings, generation) for kind in (ACCEPTED, RESOLVED_REFS))


def merge(reports: Iterable[Report]) -> tuple[Report, ...]:
    """One report for each manifest, in the order of their places."""
    merged: dict[int, Report] = {}
    for report in reports:
        other = merged.setdefault(id(report.parsed), report)
        if other is not report:
            found = dict.fromkeys((*other.findings, *report.findings))
            merged[id(report.parsed)] = Report(report.parsed, report.id, tuple(found))
    return tuple(sorted(merged.values(), key=_place))


def _condition(kind: str, findings: tuple[Finding, ...], generation: int) -> Condition:
    own = [finding for finding in findings if finding.condition == kind]
    errors = [finding for finding in own if finding.excludes]
    status = "False" if errors else "True"
    if not own:
        return Condition(kind, status, kind, _MESSAGES[kind], generation)
    shown = errors or own
    message = "; ".join(f"{format_path(finding.path)}: {finding.message}" for finding in shown)
    return Condition(kind, status, shown[0].reason, message, generation)


def _place(report: Report) -> tuple[str, int, int, str]:
    manifest = report.parsed.manifest
    return (manifest.file, manifest.document, manifest.line, str(report.id))
