"""Turns resources into linked items: looked up by kind and key, plans by API, subscriptions by plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock_operator.graph.items import Item, make_item
from penstock_operator.graph.memo import Groups, Memo
from penstock_operator.graph.types import Finding, Report
from penstock_operator.resources.parse import Parsed


@dataclass(slots=True, eq=False)
class Links:
    """The items of a folder or cluster; `repeated` are the reports of those that are there twice."""

    gateways: dict[str, Item] = field(default_factory=dict)
    apis: dict[str, Item] = field(default_factory=dict)
    plans: dict[str, Item] = field(default_factory=dict)
    subscriptions: dict[str, Item] = field(default_factory=dict)
    gateway_secrets: dict[str, Item] = field(default_factory=dict)
    secrets: dict[str, Item] = field(default_factory=dict)
    plans_of: dict[str, list[Item]] = field(default_factory=dict)
    subscriptions_of: dict[str, list[Item]] = field(default_factory=dict)
    repeated: list[Report] = field(default_factory=list)


def link(resources: Iterable[Parsed], memo: Memo) -> Links:
    """The links of resources; items of resources that the memo knows are used again."""
    links = Links()
    tables = {
        "GatewayDeployment": links.gateways,
        "ApiDefinition": links.apis,
        "Plan": links.plans,
        "Subscription": links.subscriptions,
        "GatewaySecret": links.gateway_secrets,
        "Secret": links.secrets,
    }
    for item in _items(resources, memo):
        table = tables[item.kind]
        other = table.setdefault(item.key, item)
        if other is not item:
            table[item.key] = _first(item, other, links.repeated)
    memo.plans = _grouped(links.plans, memo.plans)
    memo.subscriptions = _grouped(links.subscriptions, memo.subscriptions)
    links.plans_of, links.subscriptions_of = memo.plans.groups, memo.subscriptions.groups
    return links


def _items(resources: Iterable[Parsed], memo: Memo) -> Iterable[Item]:
    known, kept = memo.items, {}
    for parsed in resources:
        number = id(parsed)
        item = known.get(number)
        if item is None or item.parsed is not parsed:
            item = make_item(parsed)
        kept[number] = item
    memo.items = kept
    return kept.values()


def _grouped(table: dict[str, Item], before: Groups) -> Groups:
    if table == before.table:
        return before
    groups: dict[str, list[Item]] = {}
    for item in table.values():
        groups.setdefault(item.target, []).append(item)
    return Groups(table, groups)


def _first(one: Item, other: Item, repeated: list[Report]) -> Item:
    kept, dropped = (one, other) if one.place < other.place else (other, one)
    there, here = kept.parsed.manifest, dropped.parsed.manifest
    message = (
        f"{dropped.id} is there twice: {there.file}:{there.line} is used, {here.file}:{here.line} is not"
    )
    finding = Finding("DuplicateResource", message, ("metadata", "name"))
    repeated.append(Report(dropped.parsed, dropped.id, (finding,)))
    return kept
