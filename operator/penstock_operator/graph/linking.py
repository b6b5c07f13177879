"""Turns resources into linked items: looked up by kind and key, plans by API, subscriptions by plan.

Links are kept from build to build and changed in place: only what came or went costs work. A resource that is
there twice is decided anew from all items, as each may be the one that is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock_operator.graph.items import Item, make_item
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.types import Finding, Report
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.service import Services


@dataclass(slots=True, eq=False)
class Links:
    """The items of a folder or cluster; `repeated` are the reports of those that are there twice.

    `changed` are the items that came or went since the build before, None where all are to be looked at.
    `moment` is the time of the build in seconds since the epoch, `generates_keys` tells whether an operator
    makes the API keys that nobody gives. `services` are those of the cluster, None where there is none.
    """

    gateways: dict[str, Item] = field(default_factory=dict)
    apis: dict[str, Item] = field(default_factory=dict)
    plans: dict[str, Item] = field(default_factory=dict)
    subscriptions: dict[str, Item] = field(default_factory=dict)
    gateway_secrets: dict[str, Item] = field(default_factory=dict)
    secrets: dict[str, Item] = field(default_factory=dict)
    plans_of: dict[str, list[Item]] = field(default_factory=dict)
    subscriptions_of: dict[str, list[Item]] = field(default_factory=dict)
    repeated: list[Report] = field(default_factory=list)
    changed: tuple[Item, ...] | None = None
    moment: float = 0.0
    generates_keys: bool = False
    services: Services | None = None

    def table(self, kind: str) -> dict[str, Item]:
        """The items of a kind by key."""
        return getattr(self, _TABLES[kind])  # type: ignore[no-any-return]

    def groups(self, kind: str) -> dict[str, list[Item]] | None:
        """The items of a kind by their target; None where the kind has none."""
        return {"Plan": self.plans_of, "Subscription": self.subscriptions_of}.get(kind)


_TABLES = {
    "GatewayDeployment": "gateways",
    "ApiDefinition": "apis",
    "Plan": "plans",
    "Subscription": "subscriptions",
    "GatewaySecret": "gateway_secrets",
    "Secret": "secrets",
}


def link(resources: Iterable[Parsed], memo: Memo) -> Links:
    """The links of resources; items of resources that the memo knows are used again."""
    found = tuple(resources)
    wanted = dict(zip(map(id, found), found, strict=True))
    items, links = memo.items, memo.links
    # A set of all names would cost more than all these looks at the other one.
    gone = [items.pop(number) for number in [number for number in items if number not in wanted]]
    come = {number: make_item(parsed) for number, parsed in wanted.items() if number not in items}
    items |= come
    if links is None or links.repeated or not _replace(links, gone, come.values()):
        links = memo.links = _link_all(items.values())
    else:
        links.changed = (*gone, *come.values())
    return links


def _replace(links: Links, gone: Iterable[Item], come: Iterable[Item]) -> bool:
    """Changes links in place; answers False, with links of no more use, where a resource is there twice."""
    for item in gone:
        _remove(links, item)
    return all(_add(links, item) for item in come)


def _remove(links: Links, item: Item) -> None:
    del links.table(item.kind)[item.key]
    groups = links.groups(item.kind)
    if groups is not None:
        groups[item.target].remove(item)
        if not groups[item.target]:
            del groups[item.target]


def _add(links: Links, item: Item) -> bool:
    if links.table(item.kind).setdefault(item.key, item) is not item:
        return False
    groups = links.groups(item.kind)
    if groups is not None:
        groups.setdefault(item.target, []).append(item)
    return True


def _link_all(items: Iterable[Item]) -> Links:
    links, used = Links(), dict[tuple[str, str], Item]()
    for item in items:
        name = (item.kind, item.key)
        other = used.setdefault(name, item)
        if other is not item:
            used[name] = _first(item, other, links.repeated)
    for item in used.values():
        _add(links, item)
    return links


def _first(one: Item, other: Item, repeated: list[Report]) -> Item:
    kept, dropped = (one, other) if one.place < other.place else (other, one)
    there, here = kept.parsed.manifest, dropped.parsed.manifest
    message = (
        f"{dropped.id} is there twice: {there.file}:{there.line} is used, {here.file}:{here.line} is not"
    )
    finding = Finding("DuplicateResource", message, ("metadata", "name"))
    repeated.append(Report(dropped.parsed, dropped.id, (finding,)))
    return kept
