"""Turns the graph and what is observed into the statuses that have changed.

Made anew are only those of APIs for which something is another than in the build before; of all others it is
only seen that nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway_runtime.snapshot.types import Snapshot
from penstock_operator.graph.items import Item
from penstock_operator.graph.types import Finding, Graph, Report, ResourceId
from penstock_operator.resources.status import Status
from penstock_operator.status.members import Scene, generation_of, member_statuses
from penstock_operator.status.observed import Observed, ObservedGateway
from penstock_operator.status.others import (
    gateway_status,
    orphan_status,
    provided_status,
    secret_status,
    unparsed_status,
)
from penstock_operator.status.previous import before_of, read_status
from penstock_operator.status.provided import Use, resolved, uses_of_secrets
from penstock_operator.status.serving import View, view
from penstock_operator.status.verdicts import Clock, Moment, clock

Group = tuple[tuple[Any, ...], Mapping[ResourceId, Status]]
"""Statuses that belong together, behind the inputs that they were made from."""


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """What the pipeline has made of the resources.

    `graph` is that of the resources as they are, `serving` the one with last good versions in place of broken
    ones (else the same), `snapshots` are made from the latter, by gateway.
    """

    graph: Graph
    serving: Graph
    snapshots: Mapping[str, Snapshot]


@dataclass(frozen=True, slots=True)
class Change:
    """A status that is to be written, and the one before; None where there was none."""

    old: Status | None
    new: Status


@dataclass(slots=True, eq=False)
class StatusMemo:
    """The statuses of the last build with what they were made from.

    By group: the key of an API for all that belongs to it, else the name of one resource.
    """

    groups: dict[str, Group] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Build:
    """One build under way."""

    built: Built
    observed: Observed
    known: dict[str, Group]
    findings: dict[int, tuple[Finding, ...]]
    views: dict[str, View]
    uses: Mapping[str, list[Use]]
    clock: Clock
    kept: dict[str, Group] = field(default_factory=dict)
    changed: dict[ResourceId, Change] = field(default_factory=dict)

    def keep(self, name: str, inputs: tuple[Any, ...]) -> bool:
        """Whether the statuses of the build before are good still; then they are kept."""
        entry = self.known.get(name)
        if entry is None or entry[0] != inputs:
            return False
        self.kept[name] = entry
        return True

    def before(self, name: str) -> Mapping[ResourceId, Status]:
        """The statuses of a group in the build before."""
        entry = self.known.get(name)
        return entry[1] if entry else {}

    def add(
        self, name: str, inputs: tuple[Any, ...], made: Iterable[tuple[Status | None, ResourceId, Status]]
    ) -> None:
        """Notes new statuses of a group; those that are as before stay the same objects."""
        statuses = {}
        for old, id_, new in made:
            if new != old:
                self.changed[id_] = Change(old, new)
            statuses[id_] = old if old is not None and new == old else new
        self.kept[name] = (inputs, statuses)

    def report(self, item: Item) -> Report:
        """What is wrong with the resource of an item."""
        return Report(item.parsed, item.id, self.findings.get(id(item.parsed), ()))


def build_statuses(built: Built, observed: Observed, memo: StatusMemo) -> dict[ResourceId, Change]:
    """The statuses that differ from those of the build before, or at first from those of their objects."""
    views = _views(built, observed)
    build = _Build(
        built,
        observed,
        memo.groups,
        {id(report.parsed): report.findings for report in built.graph.reports},
        views,
        uses_of_secrets(built.graph.others, views.values()),
        clock(observed.now),
    )
    _build_apis(build)
    for item in built.graph.others:
        _build_other(item, build)
    _build_unparsed(build)
    memo.groups = build.kept
    return build.changed


def _views(built: Built, observed: Observed) -> dict[str, View]:
    return {
        key: view(node, observed.gateways.get(key, _NOTHING), built.snapshots.get(key))
        for key, node in built.serving.gateways.items()
    }


def _build_apis(build: _Build) -> None:
    views_of = _views_of(build.views.values())
    nodes, findings = build.built.serving.apis, build.findings
    for key, group in build.built.graph.groups.items():
        views = views_of.get(key, ())
        served = tuple((one.api(key), one.subscriptions(key)) for one in views)
        found = findings.get(id(group.api.parsed), ())
        node = nodes.get(key)
        inputs = (group, node, found, served, _places(views))
        if not build.keep(key, inputs):
            before = build.before(key)
            scene = Scene(group, node, found, tuple(views), served, before, build.clock)
            build.add(key, inputs, _with_old(scene))


def _with_old(scene: Scene) -> Iterator[tuple[Status | None, ResourceId, Status]]:
    group = scene.group
    items = (group.api, *group.plans, *(item for item, _ in group.subscriptions))
    for item, (id_, status) in zip(items, member_statuses(scene), strict=True):
        yield before_of(item, scene.before), id_, status


def _views_of(views: Iterable[View]) -> dict[str, list[View]]:
    found: dict[str, list[View]] = {}
    for one in views:
        for key in one.node.apis:
            found.setdefault(key, []).append(one)
    return found


def _places(views: Iterable[View]) -> tuple[Any, ...]:
    """Which gateways serve an API, and what its URLs depend on besides itself."""
    return tuple(
        (one.node.gateway.key, one.node.gateway.spec.listeners, one.observed.addresses) for one in views
    )


def _build_other(item: Item, build: _Build) -> None:
    name, findings = str(item.id), build.findings.get(id(item.parsed), ())
    seen = _seen(item, build)
    if build.keep(name, (item, findings, seen)):
        return
    before = before_of(item, build.before(name))
    moment = Moment(build.clock, generation_of(item), before)
    build.add(name, (item, findings, seen), [(before, item.id, _other(item, build, moment))])


def _seen(item: Item, build: _Build) -> tuple[Any, ...]:
    """What of the observed the status of such a resource depends on."""
    if item.key in build.uses and item.kind == "GatewaySecret":
        return (resolved(build.uses[item.key]),)
    if item.kind == "GatewaySecret":
        return (build.observed.secrets.get(item.key),)
    if item.kind != "GatewayDeployment":
        return ()
    observed, one = build.observed.gateways.get(item.key, _NOTHING), build.views.get(item.key)
    counts = (observed.ready, observed.wanted, len(observed.pods), observed.addresses, observed.taken)
    return (*counts, one.gateway(), len(one.node.apis)) if one else counts


def _other(item: Item, build: _Build, moment: Moment) -> Status:
    report = build.report(item)
    if item.key in build.uses and item.kind == "GatewaySecret":
        return provided_status(report, resolved(build.uses[item.key]), moment)
    if item.kind == "GatewaySecret":
        return secret_status(report, build.observed.secrets.get(item.key), moment)
    if item.kind != "GatewayDeployment":
        return orphan_status(report, moment)
    one, observed = build.views.get(item.key), build.observed.gateways.get(item.key, _NOTHING)
    served, apis = (one.gateway(), len(one.node.apis)) if one else (None, 0)
    return gateway_status(report, observed, served, apis, moment)


def _build_unparsed(build: _Build) -> None:
    for id_, unparsed in build.observed.unparsed.items():
        if build.keep(str(id_), (unparsed,)):
            continue
        before = build.before(str(id_)).get(id_) or read_status(id_.kind, unparsed.status)
        moment = Moment(build.clock, unparsed.generation, before)
        build.add(str(id_), (unparsed,), [(before, id_, unparsed_status(id_, unparsed, moment))])


_NOTHING = ObservedGateway()
