"""Keeps revisions of accepted APIs in the cluster, and reads the last good ones after a restart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from gateway_runtime.cluster.client import ClusterError
from penstock_operator.cluster.kinds import REVISION
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.observed import Observed
from penstock_operator.cluster.writer import Write
from penstock_operator.graph.assembly import Assembled
from penstock_operator.graph.types import ApiNode, Graph, ResourceId
from penstock_operator.history.revisions import number_of, resources_of, to_prune, to_write
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.resources.plan import Plan


@dataclass(frozen=True, slots=True)
class _Done:
    """The node whose revision was looked at, and the revisions that were there."""

    node: ApiNode
    revisions: tuple[str, ...]


class History:
    """Compares each accepted API with its revisions, once for each state of either."""

    def __init__(self, kube: Kube, observed: Observed) -> None:
        self._kube = kube
        self._observed = observed
        self._done: dict[str, _Done] = {}
        self._asked: set[ResourceId] = set()

    def writes(self, graph: Graph, broken: frozenset[ResourceId], now: datetime) -> Iterator[Write]:
        """The revisions to write and to delete. An API counts as accepted where nothing of it is broken."""
        kept: dict[str, _Done] = {}
        for key, node in graph.apis.items():
            uid = node.api.metadata.uid
            existing = self._observed.revisions.get((node.api.metadata.namespace, uid), {})
            done = self._done.get(key)
            if done is not None and done.node is node and done.revisions == tuple(existing):
                kept[key] = done
            elif not _is_broken(graph.groups[key], broken):
                writes = list(self._of(node, existing, now))
                if not writes:
                    kept[key] = _Done(node, tuple(existing))
                yield from writes
        self._done = kept

    def _of(self, node: ApiNode, existing: Mapping[str, KubeObject], now: datetime) -> Iterator[Write]:
        plans = [cast("KubeObject", plan.manifest) for plan in node.plans]
        write = to_write(cast("KubeObject", node.manifest), plans, existing.values(), now)
        if write is not None:
            yield Write(f"ControllerRevision of {node.api.key}", lambda: self._apply(write.revision))
            return
        for old in to_prune(existing.values(), node.api.spec.revision_history_limit):
            yield self._delete(old)

    def _delete(self, old: KubeObject) -> Write:
        metadata = old["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]

        async def delete() -> None:
            await self._kube.delete(REVISION, namespace, name)
            self._observed.remove(REVISION, old)

        return Write(f"ControllerRevision {namespace}/{name}", delete)

    async def _apply(self, revision: KubeObject) -> None:
        self._observed.put(REVISION, await self._kube.apply(revision))

    async def good_versions(
        self, lost: Iterable[ResourceId], there: Mapping[ResourceId, KubeObject]
    ) -> dict[ResourceId, Parsed]:
        """The last accepted versions of broken resources; each is asked for once."""
        found: dict[ResourceId, Parsed] = {}
        for name in lost:
            if name in self._asked or name.kind not in ("ApiDefinition", "Plan"):
                continue
            self._asked.add(name)
            api = name if name.kind == "ApiDefinition" else _api_of(name, there.get(name))
            uid = there[api]["metadata"].get("uid", "") if api in there else ""
            versions = await self._newest(api.namespace, uid)
            if name in versions:
                found[name] = _with_identity(versions[name], there.get(name))
        return found

    async def _newest(self, namespace: str, uid: str) -> dict[ResourceId, Parsed]:
        known = self._observed.revisions.get((namespace, uid), {})
        for revision in sorted(known.values(), key=number_of, reverse=True)[:1]:
            whole = await self._read(namespace, revision["metadata"]["name"])
            if whole is not None:
                return _parsed(whole)
        return {}

    async def _read(self, namespace: str, name: str) -> KubeObject | None:
        try:
            return await self._kube.get(REVISION, namespace, name)
        except ClusterError:
            return None


def _is_broken(group: Assembled, broken: frozenset[ResourceId]) -> bool:
    """Whether the API or a plan of it is broken: what is served then is an older version of it."""
    return group.api.id in broken or any(plan.id in broken for plan in group.plans)


def _api_of(plan: ResourceId, data: KubeObject | None) -> ResourceId:
    reference = ((data or {}).get("spec") or {}).get("apiRef") or {}
    return ResourceId("ApiDefinition", plan.namespace, str(reference.get("name", "")))


def _parsed(revision: KubeObject) -> dict[ResourceId, Parsed]:
    outcomes = (parse(Manifest("", 0, 0, data)) for data in resources_of(revision))
    parsed = (one for one in outcomes if isinstance(one, Parsed))
    return {
        ResourceId(one.resource.kind, one.resource.metadata.namespace, one.resource.metadata.name): one
        for one in parsed
        if isinstance(one.resource, ApiDefinition | Plan)
    }


def _with_identity(good: Parsed, present: KubeObject | None) -> Parsed:
    """A version of before as the object that is there now: its age decides conflicts."""
    data = good.manifest.data
    metadata = {**data["metadata"], **((present or {}).get("metadata") or {})}
    outcome = parse(Manifest("", 0, 0, {**data, "metadata": metadata}))
    assert isinstance(outcome, Parsed)
    return outcome
