"""Turns resources into the graph: link, assemble each API, place them on gateways, report what is wrong.

Nothing is raised for what a user wrote. What needs no other resource is checked when its item is made
(`items`), what needs those of one API when it is assembled, what needs all of them here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from penstock_operator.graph.assembly import Assembled, assemble_apis
from penstock_operator.graph.conditions import merge
from penstock_operator.graph.gateways import Placed, place
from penstock_operator.graph.linking import Links, link
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.orphans import orphan_reports, orphans_of
from penstock_operator.graph.placement import NamespaceLabels
from penstock_operator.graph.types import Graph, Report
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.service import Services


def build_graph(
    resources: Iterable[Parsed],
    memo: Memo | None = None,
    now: datetime | None = None,
    broken: frozenset[str] = frozenset(),
    namespaces: NamespaceLabels | None = None,
    services: Services | None = None,
) -> Graph:
    """The graph of resources.

    With the memo of the build before, only what has changed since is checked anew; a resource has changed
    where its `Parsed` is another object. Without `now` no subscription is reported as ended. `broken` names
    resources (`Kind namespace/name`) that are there but could not be parsed: to refer to one is no mistake.
    `namespaces` are the labels of the cluster's namespaces and `services` its Services; None where there is
    no cluster, and so no operator that makes the API keys that nobody gives.
    """
    memo = Memo() if memo is None else memo
    links = link(resources, memo)
    links.moment, links.services = now.timestamp() if now else 0.0, services
    links.generates_keys = services is not None
    assembled = assemble_apis(links, memo)
    memo.services = services
    placed = place(links, assembled, namespaces, memo)
    orphans = orphans_of(links)
    reports = merge((*_reports(links, assembled, placed), *orphan_reports(orphans, links, broken)))
    apis = {key: api.node for key, api in assembled.items() if api.node is not None}
    others = (*links.gateways.values(), *links.gateway_secrets.values(), *orphans)
    return Graph(placed.gateways, apis, reports, assembled, others)


def _reports(links: Links, assembled: dict[str, Assembled], placed: Placed) -> Iterator[Report]:
    yield from links.repeated
    for api in assembled.values():
        yield from api.reports
    yield from placed.reports
