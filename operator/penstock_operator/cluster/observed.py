"""What the API server says of the operator's own objects: what is published, what runs, what pods report.

Of the objects that come in thousands only what is compared is kept: of a ConfigMap its digests, of a revision
all but the specs in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway_runtime.snapshot.parts import (
    API_ANNOTATION,
    DATA_KEY,
    DIGEST_ANNOTATION,
    GATEWAY_LABEL,
    PART_ANNOTATION,
    SECTION_LABEL,
)
from penstock_operator.cluster.kinds import CONFIG_MAP, LEASE, REVISION, Kind, ObjectKey
from penstock_operator.resources.kube import KubeObject
from penstock_operator.status.observed import Publication

SERVED_ANNOTATION: Final = "penstock.dev/resource-version"
ERRORS_ANNOTATION: Final = "penstock.dev/errors"
_LEASE_SECONDS: Final = 30.0
_VERSION: Final = re.compile(r"[0-9]{1,20}")
_ERRORS: Final = msgspec.json.Decoder(dict[str, str])

Place = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class HeldMap:
    """A published part as it is in the cluster; `content` is a digest of its labels, annotations and data."""

    version: int
    gateway: str
    section: str
    api: str
    digest: str
    content: str


@dataclass(frozen=True, slots=True)
class Sections:
    """What is published for one gateway: its own section (key: empty), those of APIs and subscriptions."""

    gateway: dict[str, Publication] = field(default_factory=dict)
    api: dict[str, Publication] = field(default_factory=dict)
    subscriptions: dict[str, Publication] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Publication]:
        """The sections of a kind, by API."""
        return {"gateway": self.gateway, "api": self.api}.get(kind, self.subscriptions)


@dataclass(frozen=True, slots=True)
class PodLease:
    """What a pod says of itself; `seen` is when it last said something, in monotonic seconds."""

    gateway: str
    version: int
    errors: Mapping[str, str]
    seen: float


class Observed:
    """The newest known state; `on_change` is called where something changed."""

    def __init__(self, on_change: Callable[[], None], clock: Callable[[], float]) -> None:
        self.objects: dict[ObjectKey, KubeObject] = {}
        self.config_maps: dict[Place, HeldMap] = {}
        self.sections: dict[Place, Sections] = {}
        """By the namespace and the name of the gateway's objects."""
        self.leases: dict[Place, PodLease] = {}
        self.revisions: dict[Place, dict[str, KubeObject]] = {}
        """By namespace and the uid of the API that owns them, then by name."""
        self._on_change = on_change
        self._clock = clock
        self._versions: dict[ObjectKey, int] = {}
        self._owners: dict[Place, frozenset[Place]] = {}
        self._parts: dict[tuple[str, str, str, str], dict[str, HeldMap]] = {}

    def put(self, kind: Kind, found: KubeObject) -> None:
        """An object as it is now."""
        metadata = found["metadata"]
        key = ObjectKey(kind.name, metadata.get("namespace", ""), metadata["name"])
        version = int(metadata.get("resourceVersion") or 0)
        if version <= self._versions.get(key, -1):
            return
        self._versions[key] = version
        if kind is CONFIG_MAP:
            self._put_config_map(key, version, found)
        elif kind is LEASE:
            self._put_lease(key, metadata)
        elif kind is REVISION:
            self._put_revision(key, found)
        else:
            self.objects[key] = {**found, "apiVersion": kind.api_version, "kind": kind.name}
            self._on_change()

    def remove(self, kind: Kind, found: KubeObject) -> None:
        """An object is gone."""
        metadata = found["metadata"]
        key = ObjectKey(kind.name, metadata.get("namespace", ""), metadata["name"])
        self._versions.pop(key, None)
        place = (key.namespace, key.name)
        if kind is CONFIG_MAP:
            self._drop_config_map(place)
        elif kind is LEASE:
            self.leases.pop(place, None)
        elif kind is REVISION:
            self._drop_revision(place)
        else:
            self.objects.pop(key, None)
        self._on_change()

    def versions(self, kind: Kind) -> dict[Place, int]:
        """The resourceVersions of all known objects of a kind, by namespace and name."""
        return {
            (key.namespace, key.name): version
            for key, version in self._versions.items()
            if key.kind == kind.name
        }

    def pods(self, namespace: str, gateway: str) -> dict[str, PodLease]:
        """The pods of a gateway that have said something lately, by name."""
        now = self._clock()
        return {
            name: lease
            for (place, name), lease in self.leases.items()
            if place == namespace and lease.gateway == gateway and now - lease.seen < _LEASE_SECONDS
        }

    def next_silence(self) -> float | None:
        """When the next pod counts as dead if it says nothing more, in monotonic seconds."""
        now = self._clock()
        ends = (lease.seen + _LEASE_SECONDS for lease in self.leases.values())
        return min((end for end in ends if end > now), default=None)

    def _put_config_map(self, key: ObjectKey, version: int, found: KubeObject) -> None:
        metadata = found["metadata"]
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        held = HeldMap(
            version,
            labels.get(GATEWAY_LABEL, ""),
            labels.get(SECTION_LABEL, ""),
            annotations.get(API_ANNOTATION, ""),
            annotations.get(DIGEST_ANNOTATION, ""),
            content_digest(found),
        )
        place = (key.namespace, key.name)
        self._drop_config_map(place)
        self.config_maps[place] = held
        self._parts.setdefault(_section(place, held), {})[key.name] = held
        self._settle(_section(place, held))
        self._on_change()

    def _drop_config_map(self, place: Place) -> None:
        held = self.config_maps.pop(place, None)
        if held is not None:
            self._parts[_section(place, held)].pop(place[1], None)
            self._settle(_section(place, held))

    def _settle(self, section: tuple[str, str, str, str]) -> None:
        """Tell a section from its parts: it has a digest only where they all are of one state."""
        namespace, gateway, kind, api = section
        published = self.sections.setdefault((namespace, gateway), Sections()).of(kind)
        parts = self._parts[section].values()
        if not parts:
            del self._parts[section]
            published.pop(api, None)
            return
        digests = {part.digest for part in parts}
        whole = digests.pop() if len(digests) == 1 else ""
        published[api] = Publication(whole, max(part.version for part in parts))

    def _put_lease(self, key: ObjectKey, metadata: Mapping[str, Any]) -> None:
        place = (key.namespace, key.name)
        annotations = metadata.get("annotations") or {}
        lease = PodLease(
            (metadata.get("labels") or {}).get(GATEWAY_LABEL, ""),
            _number(annotations.get(SERVED_ANNOTATION, "")),
            _errors(annotations.get(ERRORS_ANNOTATION, "")),
            self._clock(),
        )
        before = self.leases.get(place)
        self.leases[place] = lease
        told = None if before is None else (before.gateway, before.version, before.errors)
        silent = before is not None and lease.seen - before.seen >= _LEASE_SECONDS
        if silent or told != (lease.gateway, lease.version, lease.errors):
            self._on_change()

    def _put_revision(self, key: ObjectKey, found: KubeObject) -> None:
        kept = {name: value for name, value in found.items() if name != "data"}
        kept["metadata"] = {k: v for k, v in found["metadata"].items() if k != "managedFields"}
        place = (key.namespace, key.name)
        self._drop_revision(place)
        owners = {(key.namespace, owner["uid"]) for owner in kept["metadata"].get("ownerReferences") or ()}
        for owner in owners:
            self.revisions.setdefault(owner, {})[key.name] = kept
        self._owners[place] = frozenset(owners)
        self._on_change()

    def _drop_revision(self, place: Place) -> None:
        for owner in self._owners.pop(place, ()):
            del self.revisions[owner][place[1]]
            if not self.revisions[owner]:
                del self.revisions[owner]


def _section(place: Place, held: HeldMap) -> tuple[str, str, str, str]:
    return (place[0], held.gateway, held.section, held.api)


def content_digest(config_map: KubeObject) -> str:
    """A digest of what a ConfigMap says: its place among the sections, and its data."""
    metadata = config_map["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    parts = [
        *(labels.get(name, "") for name in (GATEWAY_LABEL, SECTION_LABEL)),
        *(annotations.get(name, "") for name in (API_ANNOTATION, DIGEST_ANNOTATION, PART_ANNOTATION)),
        str(sorted(config_map.get("data") or {})),
        (config_map.get("data") or {}).get(DATA_KEY, ""),
    ]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _number(text: str) -> int:
    return int(text) if _VERSION.fullmatch(text) else 0


def _errors(text: str) -> Mapping[str, str]:
    """What a pod cannot serve; a text that no pod of ours would write is told as the gateway's own error."""
    try:
        return _ERRORS.decode(text or "{}")
    except msgspec.DecodeError:
        return {"": "the pod's report cannot be read"}
