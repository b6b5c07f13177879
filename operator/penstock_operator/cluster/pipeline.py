"""Resources of a cluster -> what each gateway serves, with the last good version of what an edit broke.

Pure but for its memos: what did not change since the run before costs a look, no work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway_runtime.snapshot.types import Snapshot
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.types import Graph, ResourceId
from penstock_operator.graph.withdrawal import is_withdrawn
from penstock_operator.publish.snapshots import PublishMemo, build_snapshots
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.service import Services


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one run reads; `peppers` are those of the gateways, by `namespace/name`."""

    resources: Mapping[ResourceId, Parsed]
    broken: frozenset[str]
    namespaces: Mapping[str, Mapping[str, str]]
    peppers: Mapping[str, bytes] = field(repr=False)
    now: datetime
    services: Services = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run finds: `graph` is of the resources as they are, `serving` of those that are served.

    `lost` are the resources that are broken, of which no good version is known, and that ask for service.
    """

    graph: Graph
    serving: Graph
    resources: Mapping[ResourceId, Parsed]
    snapshots: Mapping[str, Snapshot]
    lost: frozenset[ResourceId]


class ClusterPipeline:
    """The steps from resources to snapshots, and what they keep from one run to the next."""

    __slots__ = ("_broken", "_good", "_graph_memo", "_last", "_publish_memo", "_serving_memo")

    def __init__(self) -> None:
        self._graph_memo = Memo()
        self._serving_memo = Memo()
        self._publish_memo = PublishMemo()
        self._good: dict[ResourceId, Parsed] = {}
        self._last: Mapping[ResourceId, Parsed] = {}
        self._broken: frozenset[ResourceId] = frozenset()

    def remember(self, good: Mapping[ResourceId, Parsed]) -> None:
        """Take versions that were accepted once, of resources whose good version is not known."""
        self._good = {**good, **self._good}

    def run(self, inputs: Inputs) -> Outcome:
        """What to serve."""
        graph = self._build(inputs, inputs.resources, self._graph_memo)
        broken = _broken(graph)
        wanted = {name for name in broken if not is_withdrawn(inputs.resources[name].resource)}
        wanted |= self._unread(inputs)
        self._hold(inputs, broken, wanted)
        serving = graph
        if self._good:
            serving = self._build(inputs, {**inputs.resources, **self._good}, self._serving_memo)
        snapshots = build_snapshots(serving, self._publish_memo, inputs.peppers)
        return Outcome(graph, serving, inputs.resources, snapshots, frozenset(wanted - self._good.keys()))

    def _hold(self, inputs: Inputs, broken: frozenset[ResourceId], wanted: set[ResourceId]) -> None:
        """Keep the good versions of what has just been broken; forget those of what is not `wanted`."""
        there = inputs.resources
        for name in broken - self._broken:
            before = self._last.get(name)
            if before is not None and before is not there[name]:
                self._good.setdefault(name, before)
        self._good = {name: good for name, good in self._good.items() if name in wanted}
        self._last, self._broken = there, broken

    @staticmethod
    def _unread(inputs: Inputs) -> frozenset[ResourceId]:
        """What is there, could not be parsed, and has no version before it."""
        return frozenset(name for name in map(_id, inputs.broken) if name not in inputs.resources)

    @staticmethod
    def _build(inputs: Inputs, resources: Mapping[ResourceId, Parsed], memo: Memo) -> Graph:
        return build_graph(
            resources.values(),
            memo,
            inputs.now,
            inputs.broken,
            inputs.namespaces,
            inputs.services,
        )


def _id(text: str) -> ResourceId:
    kind, _, key = text.partition(" ")
    namespace, _, name = key.partition("/")
    return ResourceId(kind, namespace, name)


def _broken(graph: Graph) -> frozenset[ResourceId]:
    return frozenset(
        report.id for report in graph.reports if any(finding.is_error for finding in report.findings)
    )
