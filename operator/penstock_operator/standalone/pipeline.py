"""Turns the resources of a folder into what one gateway serves, edit after edit.

An edit that breaks a resource leaves its last good version in service; a resource that is gone is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gateway_runtime.snapshot.types import GatewaySection, Snapshot
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.types import Graph
from penstock_operator.graph.withdrawal import is_withdrawn
from penstock_operator.publish.secrets import SecretValues
from penstock_operator.publish.snapshots import PublishMemo, build_snapshots
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.problems import Problem
from penstock_operator.standalone.files import identity
from penstock_operator.standalone.gateway import broken_gateway, choose_gateway


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder holds: resources, the keys of its gateways, what could not be parsed (`FileState`)."""

    resources: list[Parsed]
    gateways: frozenset[str]
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()
    breaks_gateway: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """What to serve from now on, the values of its secrets by URI, and what is wrong with the manifests.

    `workers` is the number of worker processes that the GatewayDeployment asks for.
    """

    snapshot: Snapshot
    secrets: dict[str, str] = field(repr=False)
    problems: tuple[Problem, ...] = ()
    workers: int | None = None


class Pipeline:
    """The steps from resources to a snapshot, and what they keep from one run to the next."""

    __slots__ = ("_gateway", "_good", "_graph_memo", "_last", "_publish_memo", "_secrets")

    def __init__(self, gateway: str | None) -> None:
        self._gateway = gateway
        self._graph_memo = Memo()
        self._publish_memo = PublishMemo()
        self._secrets = SecretValues()
        self._good: tuple[list[Parsed], frozenset[str]] = ([], frozenset())
        self._last = Update(Snapshot(gateway=GatewaySection(listeners=())), {})

    def run(self, contents: Contents) -> Update:
        """What to serve for the contents of a folder."""
        problems = contents.problems
        choice = choose_gateway(contents.resources, contents.gateways, self._gateway)
        if choice.resources is not contents.resources and contents.breaks_gateway:
            return self._keep((*problems, broken_gateway()))
        graph = self._build(choice.resources, contents.broken)
        found = (*problems, *graph.problems)
        if choice.key is None:
            return self._keep((*found, choice.problem) if choice.problem else found)
        serving = self._with_last_good(choice.resources, graph)
        return self._publish(serving, choice.key, found)

    def _build(self, resources: list[Parsed], broken: frozenset[str] = frozenset()) -> Graph:
        return build_graph(resources, self._graph_memo, datetime.now(UTC), broken)

    def _keep(self, problems: tuple[Problem, ...]) -> Update:
        self._last = replace(self._last, problems=problems)
        return self._last

    def _with_last_good(self, resources: list[Parsed], graph: Graph) -> tuple[list[Parsed], Graph]:
        replaced = resources
        broken = _broken(graph, but_withdrawn=True)
        if broken:
            serving, never_good = self._good
            good = {identity(parsed): parsed for parsed in serving}
            usable = {name: good[name] for name in broken if name in good and name not in never_good}
            if usable:
                replaced = [usable.get(identity(parsed), parsed) for parsed in resources]
                graph = self._build(replaced)
        self._good = (replaced, _broken(graph))
        return replaced, graph

    def _publish(
        self, serving: tuple[list[Parsed], Graph], key: str, problems: tuple[Problem, ...]
    ) -> Update:
        resources, graph = serving
        snapshot = build_snapshots(graph, self._publish_memo).get(key)
        if snapshot is None:
            return self._keep((*problems, broken_gateway()))
        workers = graph.gateways[key].gateway.spec.workers
        self._last = Update(snapshot, self._secrets.of(resources, snapshot), problems, workers)
        return self._last


def _broken(graph: Graph, but_withdrawn: bool = False) -> frozenset[str]:
    return frozenset(
        str(report.id)
        for report in graph.reports
        if any(finding.is_error for finding in report.findings)
        and not (but_withdrawn and is_withdrawn(report.parsed.resource))
    )
