"""Snapshots -> the ConfigMaps that should be there, compared with those that are.

A section's parts are made only where its digest is not what is published: of thousands of APIs, one edit
makes one ConfigMap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway_runtime.snapshot.codec import digest
from gateway_runtime.snapshot.parts import SectionKind, section_parts
from gateway_runtime.snapshot.types import GatewaySection, Snapshot, Wire
from penstock_operator.cluster.observed import HeldMap, Place, content_digest
from penstock_operator.deploy.configuration import config_maps
from penstock_operator.deploy.identity import instance
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kube import KubeObject

SectionKey = tuple[str, SectionKind, str]
"""Gateway (`namespace/name`), kind of section, API (`namespace/name`, or empty)."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A section as it was last made: its ConfigMaps' names and what they say."""

    digest: str
    contents: Mapping[str, str]


@dataclass(slots=True)
class Publication:
    """The ConfigMaps to write, with the gateway that each is for, and to delete."""

    writes: list[tuple[GatewayDeployment, KubeObject]] = field(default_factory=list)
    deletes: list[Place] = field(default_factory=list)


class Publisher:
    """Remembers what each section was cut into."""

    def __init__(self) -> None:
        self._sections: dict[SectionKey, _Section] = {}
        self._gateways: dict[str, tuple[GatewaySection, str]] = {}

    def compare(
        self,
        gateways: Mapping[str, GatewayDeployment],
        snapshots: Mapping[str, Snapshot],
        published: Mapping[Place, HeldMap],
        keeps: frozenset[str],
    ) -> Publication:
        """What is to be done so that all snapshots are published.

        What is published of the APIs that `keeps` names, and of gateways without a snapshot, stays as it is.
        """
        found = Publication()
        used: dict[SectionKey, _Section] = {}
        wanted: set[Place] = set()
        for key, snapshot in snapshots.items():
            self._gateway(gateways[key], snapshot, published, (found, used, wanted))
        self._sections = used
        mine = {(one.metadata.namespace, instance(one)) for key, one in gateways.items() if key in snapshots}
        found.deletes += [
            place
            for place, held in published.items()
            if (place[0], held.gateway) in mine and place not in wanted and held.api not in keeps
        ]
        return found

    def _gateway(
        self,
        gateway: GatewayDeployment,
        snapshot: Snapshot,
        published: Mapping[Place, HeldMap],
        into: tuple[Publication, dict[SectionKey, _Section], set[Place]],
    ) -> None:
        found, used, wanted = into
        namespace = gateway.metadata.namespace
        for kind, api, whole, wire in self._wires(gateway.key, snapshot):
            section = self._section(gateway, (gateway.key, kind, api), (whole, wire))
            used[gateway.key, kind, api] = section
            for name, content in section.contents.items():
                place = (namespace, name)
                wanted.add(place)
                held = published.get(place)
                if held is None or held.content != content:
                    found.writes.append((gateway, _part(gateway, (kind, api, whole), wire, name)))

    def _wires(self, key: str, snapshot: Snapshot) -> Iterator[tuple[SectionKind, str, str, Wire]]:
        known = self._gateways.get(key)
        if known is None or known[0] != snapshot.gateway:
            known = self._gateways[key] = (snapshot.gateway, digest(snapshot.gateway))
        yield "gateway", "", known[1], snapshot.gateway
        for api, entry in snapshot.apis.items():
            yield "api", api, entry.digest, entry.section
        for api, subscriptions in snapshot.subscriptions.items():
            yield "subscriptions", api, subscriptions.digest, subscriptions.section

    def _section(self, gateway: GatewayDeployment, key: SectionKey, made: tuple[str, Wire]) -> _Section:
        before = self._sections.get(key)
        if before is not None and before.digest == made[0]:
            return before
        _, kind, api = key
        parts = config_maps(gateway, section_parts(kind, api, made[0], made[1]))
        return _Section(made[0], {one["metadata"]["name"]: content_digest(one) for one in parts})


def _part(gateway: GatewayDeployment, key: tuple[SectionKind, str, str], wire: Wire, name: str) -> KubeObject:
    kind, api, whole = key
    made = config_maps(gateway, section_parts(kind, api, whole, wire))
    return next(one for one in made if one["metadata"]["name"] == name)
