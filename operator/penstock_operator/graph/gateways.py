"""Turns gateways and assembled APIs into gateway nodes: each API where it belongs, conflicts decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from penstock_operator.graph.assembly import Assembled
from penstock_operator.graph.items import Item
from penstock_operator.graph.kafka_routes import find_unserved, fitting, no_listener, without_client_ca
from penstock_operator.graph.linking import Links
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.placement import NamespaceLabels, select, uncovered, unknown_labels
from penstock_operator.graph.providers import Faults, gateway_of, provider_findings, resolve_for
from penstock_operator.graph.routes import conflict_finding, find_conflicts
from penstock_operator.graph.types import ApiNode, Finding, GatewayNode, Report
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.plan import Plan


@dataclass(slots=True, eq=False)
class Placed:
    """Gateways with their APIs, and the reports of both."""

    gateways: dict[str, GatewayNode] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """An API's node as one gateway serves it (None: not at all), and what it was made from."""

    gateway: Item
    general: ApiNode
    served: ApiNode | None
    faults: Faults

    @property
    def key(self) -> str:
        """That of the API."""
        return self.general.api.key


def place(
    links: Links, assembled: dict[str, Assembled], namespaces: NamespaceLabels | None, memo: Memo
) -> Placed:
    """The usable gateways with the usable, started APIs that they serve."""
    placed = Placed()
    nodes = {key: api.node for key, api in assembled.items() if api.node is not None}
    startable = [api for key, api in links.apis.items() if api.is_started and key in nodes]
    unserved, unfit = {api.key: api for api in startable}, set[str]()
    memo.variants = {key: found for key, found in memo.variants.items() if key in links.gateways}
    for item in sorted(links.gateways.values(), key=lambda gateway: gateway.key):
        gateway = gateway_of(item)
        selected = select(gateway, startable, namespaces)
        chosen = fitting(gateway, selected)
        if chosen is not selected:
            unfit |= {api.key for api in selected} - {api.key for api in chosen}
        for api in chosen:
            unserved.pop(api.key, None)
        more = (*unknown_labels(gateway, namespaces), *provider_findings(gateway, links))
        if _check(item, more, placed.reports):
            own = _variants(item, chosen, nodes, memo)
            placed.reports += [found for one in own for found in _fault_reports(one, assembled)]
            left_out = {one.key for one in own if one.served is None}
            kept = [api for api in chosen if api.key not in left_out] if left_out else chosen
            served = _without_conflicts(item, kept, nodes, placed.reports)
            served |= {one.key: one.served for one in own if one.served is not None and one.key in served}
            placed.reports += _mtls_reports(item, served, assembled)
            placed.gateways[item.key] = GatewayNode(gateway, item.parsed.manifest.data, served)
    gateways = [gateway_of(item) for item in links.gateways.values()]
    placed.reports += [
        _report(api, no_listener(api) if api.key in unfit else uncovered(api, gateways))
        for api in unserved.values()
    ]
    return placed


def _variants(gateway: Item, apis: Iterable[Item], nodes: dict[str, ApiNode], memo: Memo) -> list[Variant]:
    """Those of the APIs that name secrets of providers; the memo's are used again."""
    known, kept = memo.variants.get(gateway.key, {}), dict[str, Variant]()
    for api in apis:
        key, node = api.key, nodes[api.key]
        if node.needs_providers:
            before = known.get(key)
            if before is None or before.gateway is not gateway or before.general is not node:
                before = Variant(gateway, node, *resolve_for(gateway_of(gateway), node))
            kept[key] = before
    memo.variants[gateway.key] = kept
    return list(kept.values())


def _fault_reports(variant: Variant, assembled: Mapping[str, Assembled]) -> Iterator[Report]:
    """What is wrong, told of the API or the plan that names the secret."""
    if variant.faults:
        group = assembled[variant.key]
        items = {"": group.api} | {plan.name: plan for plan in group.plans}
        for name, findings in variant.faults.items():
            yield Report(items[name].parsed, items[name].id, findings)


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
    lost = {key: conflict_finding(conflict, gateway.key) for key, conflict in conflicts.items()}
    lost |= find_unserved(gateway_of(gateway), [api for api in chosen if api.kafka is not None])
    if not lost:
        return {api.key: nodes[api.key] for api in chosen}
    reports += [_report(api, lost[api.key]) for api in chosen if api.key in lost]
    return {api.key: nodes[api.key] for api in chosen if api.key not in lost}


def _mtls_reports(
    gateway: Item, served: Iterable[str], assembled: Mapping[str, Assembled]
) -> Iterator[Report]:
    """Plans that ask for certificates where no listener takes any."""
    if all(listener.protocol == "HTTP" for listener in gateway_of(gateway).spec.listeners):
        return
    for key in served:
        address = assembled[key].api.kafka
        finding = without_client_ca(gateway_of(gateway), address) if address is not None else None
        if finding is not None:
            for plan in filter(_is_mtls, assembled[key].plans):
                yield Report(plan.parsed, plan.id, (finding,))


def _is_mtls(plan: Item) -> bool:
    resource = plan.parsed.resource
    return isinstance(resource, Plan) and resource.spec.security.mtls is not None


def _report(item: Item, finding: Finding) -> Report:
    assert isinstance(item.parsed.resource, ApiDefinition)
    return Report(item.parsed, item.id, (finding,))
