"""Turns gateways and assembled APIs into gateway nodes: each API where it belongs, conflicts decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock_operator.graph.assembly import Assembled
from penstock_operator.graph.items import Item
from penstock_operator.graph.linking import Links
from penstock_operator.graph.placement import NamespaceLabels, select, uncovered, unknown_labels
from penstock_operator.graph.routes import conflict_finding, find_conflicts
from penstock_operator.graph.types import ApiNode, Finding, GatewayNode, Report
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.gateway_deployment import GatewayDeployment


@dataclass(slots=True, eq=False)
class Placed:
    """Gateways with their APIs, and the reports of both."""

    gateways: dict[str, GatewayNode] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)


def place(links: Links, assembled: dict[str, Assembled], namespaces: NamespaceLabels | None) -> Placed:
    """The usable gateways with the usable, started APIs that they serve."""
    placed = Placed()
    nodes = {key: api.node for key, api in assembled.items() if api.node is not None}
    startable = [api for key, api in links.apis.items() if api.is_started and key in nodes]
    unserved = {api.key: api for api in startable}
    for item in sorted(links.gateways.values(), key=lambda gateway: gateway.key):
        gateway = _gateway(item)
        chosen = select(gateway, startable, namespaces)
        for api in chosen:
            unserved.pop(api.key, None)
        if _check(item, unknown_labels(gateway, namespaces), placed.reports):
            served = _without_conflicts(item, chosen, nodes, placed.reports)
            placed.gateways[item.key] = GatewayNode(gateway, item.parsed.manifest.data, served)
    gateways = [_gateway(item) for item in links.gateways.values()]
    placed.reports += [_report(api, uncovered(api, gateways)) for api in unserved.values()]
    return placed


def _check(item: Item, more: Iterable[Finding], reports: list[Report]) -> bool:
    message = "platform flows run for all APIs: secrets and properties of one API are not theirs to read"
    uses = {use.path: use for use in (*item.secrets, *item.properties)}
    findings = (*item.findings, *(Finding("InvalidExpression", message, path) for path in uses), *more)
    if findings:
        reports.append(Report(item.parsed, item.id, findings))
    return not any(finding.is_error for finding in findings)


def _without_conflicts(
    gateway: Item, chosen: list[Item], nodes: dict[str, ApiNode], reports: list[Report]
) -> dict[str, ApiNode]:
    conflicts = find_conflicts(chosen)
    reports += [
        _report(conflict.loser, conflict_finding(conflict, gateway.key)) for conflict in conflicts.values()
    ]
    if not conflicts:
        return {api.key: nodes[api.key] for api in chosen}
    return {api.key: nodes[api.key] for api in chosen if api.key not in conflicts}


def _report(item: Item, finding: Finding) -> Report:
    assert isinstance(item.parsed.resource, ApiDefinition)
    return Report(item.parsed, item.id, (finding,))


def _gateway(item: Item) -> GatewayDeployment:
    gateway = item.parsed.resource
    assert isinstance(gateway, GatewayDeployment)
    return gateway
