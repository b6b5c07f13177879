"""Checks what belongs to no API: plans and subscriptions whose target is missing, and secret references."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from penstock_operator.graph.items import Item
from penstock_operator.graph.linking import Links
from penstock_operator.graph.references import source_finding, unresolved
from penstock_operator.graph.types import RESOLVED_REFS, Finding, Report
from penstock_operator.resources.explain import nearest


def orphan_reports(links: Links, broken: frozenset[str]) -> Iterator[Report]:
    """Plans without their API, subscriptions without their plan, GatewaySecrets without their value."""
    apis, plans = links.apis, links.plans
    for plan in plans.values():
        if plan.target not in apis:
            finding = _missing(plan, "ApiDefinition", apis, broken)
            yield Report(plan.parsed, plan.id, (*plan.findings, finding))
    for subscription in links.subscriptions.values():
        if subscription.target not in plans:
            finding = _missing(subscription, "Plan", plans, broken)
            yield Report(subscription.parsed, subscription.id, (*subscription.findings, finding))
    for secret in links.gateway_secrets.values():
        findings = (*secret.findings, *filter(None, (source_finding(secret, links),)))
        if findings:
            yield Report(secret.parsed, secret.id, findings)


def ended_subscriptions(links: Links, now: datetime) -> Iterator[Report]:
    """Subscriptions whose end has passed."""
    moment = now.timestamp()
    for item in links.subscriptions.values():
        if item.ends_at is not None and item.ends_at <= moment:
            ended = datetime.fromtimestamp(item.ends_at, UTC).isoformat()
            message = f"the subscription ended at {ended}: its clients are refused"
            yield Report(
                item.parsed,
                item.id,
                (Finding("Expired", message, ("spec", "endsAt"), severity="Warning"),),
            )


_TARGETS = {"ApiDefinition": ("ApiNotFound", "apiRef"), "Plan": ("PlanNotFound", "planRef")}


def _missing(item: Item, kind: str, known: dict[str, Item], broken: frozenset[str]) -> Finding:
    reason, field = _TARGETS[kind]
    path = ("spec", field, "name")
    name = f"{kind} {item.target}"
    if name in broken:
        return Finding(reason, f"the {name} is broken", path, RESOLVED_REFS, "Warning")
    return unresolved(reason, f"there is no {name}{nearest(item.target, known)}", path)
