"""Gateways -> the objects that run them, compared with those that are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway_runtime.snapshot.parts import GATEWAY_LABEL
from gateway_runtime.snapshot.references import api_services, api_uris
from gateway_runtime.snapshot.types import ApiEntry, ApiSection, Snapshot
from penstock_operator.cluster.kinds import BY_NAME, OWNED, ObjectKey, key_of
from penstock_operator.deploy.build import gateway_objects
from penstock_operator.deploy.context import DeployContext
from penstock_operator.deploy.differences import covers
from penstock_operator.deploy.identity import NAMESPACE_LABEL, instance, is_of
from penstock_operator.deploy.rights import discovery_rights, secret_rights
from penstock_operator.deploy.stamp import APPLIED_ANNOTATION
from penstock_operator.graph.types import GatewayNode
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kube import KubeObject

_SCHEME = "kubernetes/"
_ORDER = {kind.name: index for index, kind in enumerate(OWNED)}


@dataclass(slots=True)
class Work:
    """Objects to apply (in order), with the gateway that each is for, and objects to delete."""

    applies: list[tuple[GatewayDeployment, KubeObject]] = field(default_factory=list)
    deletes: list[KubeObject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Needed:
    """What pods read for an API: Secrets by namespace and name, and the namespaces of its Services."""

    secrets: frozenset[tuple[str, str]]
    namespaces: frozenset[str]


class Needs:
    """What the pods read for APIs, remembered by the entry of each."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[ApiEntry, Needed]] = {}

    def of(self, snapshot: Snapshot) -> Needed:
        """What they read for all APIs of a snapshot."""
        secrets, namespaces = set[tuple[str, str]](), set[str]()
        for key, entry in snapshot.apis.items():
            known = self._known.get(key)
            if known is None or known[0] is not entry:
                known = self._known[key] = (entry, _needed(entry.section))
            secrets |= known[1].secrets
            namespaces |= known[1].namespaces
        return Needed(frozenset(secrets), frozenset(namespaces))

    def keep(self, served: Iterable[str]) -> None:
        """Forget all APIs but these."""
        kept = set(served)
        self._known = {key: known for key, known in self._known.items() if key in kept}


def _needed(section: ApiSection) -> Needed:
    uris = (uri for uri in api_uris(section) if uri.startswith(_SCHEME))
    namespaces = (port.namespace for port in api_services(section))
    return Needed(frozenset(map(_place, uris)), frozenset(namespaces))


def _place(uri: str) -> tuple[str, str]:
    namespace, _, name = uri.removeprefix(_SCHEME).partition(":")[0].partition("/")
    return namespace, name


class Infrastructure:
    """Compares what should run with what does."""

    def __init__(self, context: DeployContext) -> None:
        self._context = context
        self._needs = Needs()

    def compare(
        self,
        gateways: Mapping[str, GatewayNode],
        snapshots: Mapping[str, Snapshot],
        known: frozenset[tuple[str, str]],
        observed: Mapping[ObjectKey, KubeObject],
    ) -> Work:
        """What is to be done.

        `known` names all gateways that are there, by namespace and name of their objects: what is of one that
        is there but not among `gateways`, as it is broken, stays as it is.
        """
        work = Work()
        wanted: set[ObjectKey] = set()
        for key, node in gateways.items():
            for made in self._objects(node.gateway, snapshots.get(key)):
                wanted.add(key_of(made))
                there = observed.get(key_of(made))
                # Its stamp is among its annotations: it tells of fields that are no longer wanted.
                if there is None or not covers(made, there):
                    work.applies.append((node.gateway, made))
        work.applies.sort(key=lambda one: _ORDER[one[1]["kind"]])
        served = {
            (node.gateway.metadata.namespace, instance(node.gateway)): node for node in gateways.values()
        }
        for object_key, there in observed.items():
            if object_key not in wanted and _is_left(there, served, known):
                work.deletes.append(there)
        self._needs.keep(api for snapshot in snapshots.values() for api in snapshot.apis)
        return work

    def _objects(self, gateway: GatewayDeployment, snapshot: Snapshot | None) -> Iterable[KubeObject]:
        yield from gateway_objects(gateway, self._context)
        if snapshot is not None:
            needed = self._needs.of(snapshot)
            yield from secret_rights(gateway, needed.secrets)
            yield from discovery_rights(gateway, needed.namespaces)


def _is_left(
    there: KubeObject,
    served: Mapping[tuple[str, str], GatewayNode],
    known: frozenset[tuple[str, str]],
) -> bool:
    """Whether an object of ours is no longer wanted."""
    metadata = there["metadata"]
    labels = metadata.get("labels") or {}
    if (
        there["kind"] not in BY_NAME
        or GATEWAY_LABEL not in labels
        or APPLIED_ANNOTATION not in (metadata.get("annotations") or {})
    ):
        return False
    owner = (labels.get(NAMESPACE_LABEL) or metadata.get("namespace", ""), labels[GATEWAY_LABEL])
    node = served.get(owner)
    if node is not None:
        return is_of(node.gateway, there)
    return owner not in known
