"""Checks what belongs to no API: plans and subscriptions whose target is missing, and secret references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from penstock_operator.graph.items import Item
from penstock_operator.graph.linking import Links
from penstock_operator.graph.providers import gateway_of, unprovided
from penstock_operator.graph.references import gateway_secret, source_finding, unresolved
from penstock_operator.graph.types import RESOLVED_REFS, Finding, Report
from penstock_operator.resources.explain import nearest


def orphans_of(links: Links) -> list[Item]:
    """Plans without their API and subscriptions without their plan."""
    apis, plans = links.apis, links.plans
    left = [group for target, group in links.plans_of.items() if target not in apis]
    left += [group for target, group in links.subscriptions_of.items() if target not in plans]
    left += [_subscriptions_of_orphans(links)]
    return [item for group in left for item in group]


def orphan_reports(orphans: Iterable[Item], links: Links, broken: frozenset[str]) -> Iterator[Report]:
    """What is wrong with those, and with GatewaySecrets without their value."""
    for item in orphans:
        finding = _missing(item, links, broken)
        if finding or item.findings:
            yield Report(item.parsed, item.id, (*item.findings, *filter(None, (finding,))))
    gateways = [gateway_of(item) for item in links.gateways.values()]
    for secret in links.gateway_secrets.values():
        finding = source_finding(secret, links) or unprovided(gateway_secret(secret), gateways)
        if finding or secret.findings:
            yield Report(secret.parsed, secret.id, (*secret.findings, *filter(None, (finding,))))


def _subscriptions_of_orphans(links: Links) -> list[Item]:
    """Subscriptions whose plan is there, but not the plan's API."""
    plans = [plan for target, group in links.plans_of.items() if target not in links.apis for plan in group]
    return [item for plan in plans for item in links.subscriptions_of.get(plan.key, ())]


_TARGETS = {
    "Plan": ("ApiDefinition", "ApiNotFound", "apiRef"),
    "Subscription": ("Plan", "PlanNotFound", "planRef"),
}


def _missing(item: Item, links: Links, broken: frozenset[str]) -> Finding | None:
    kind, reason, field = _TARGETS[item.kind]
    known = links.table(kind)
    if item.target in known:
        return None
    path = ("spec", field, "name")
    name = f"{kind} {item.target}"
    if name in broken:
        return Finding(reason, f"the {name} is broken", path, RESOLVED_REFS, "Warning")
    return unresolved(reason, f"there is no {name}{nearest(item.target, known)}", path)
