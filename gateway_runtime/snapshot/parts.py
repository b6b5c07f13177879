"""Sections to the parts that travel as ConfigMaps, and parts back to a snapshot.

A section larger than a ConfigMap may be is cut; its parts carry the digest of the whole, so that a reader
that has seen only some of them goes on with the section it had before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from gateway_runtime.snapshot.codec import digest, encode
from gateway_runtime.snapshot.types import (
    ApiEntry,
    ApiSection,
    GatewaySection,
    Snapshot,
    SubscriptionsEntry,
    SubscriptionsSection,
    Wire,
)

GATEWAY_LABEL: Final = "penstock.dev/gateway"
"""On every object that one gateway's pods read or write: the name of the GatewayDeployment."""
SECTION_LABEL: Final = "penstock.dev/section"
API_ANNOTATION: Final = "penstock.dev/api"
DIGEST_ANNOTATION: Final = "penstock.dev/digest"
PART_ANNOTATION: Final = "penstock.dev/part"
"""`INDEX/COUNT`, the index from 1."""
DATA_KEY: Final = "section.json"

MAX_PART: Final = 700_000
"""Bytes of one part: below the 1 MiB of a ConfigMap, with room for escapes."""

SectionKind = Literal["gateway", "api", "subscriptions"]
_SECTIONS: Final[dict[str, type[Wire]]] = {
    "gateway": GatewaySection,
    "api": ApiSection,
    "subscriptions": SubscriptionsSection,
}


class PartError(Exception):
    """An object that holds no part of a section."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a section's JSON; `key` is the API's `namespace/name`, empty for the gateway's own."""

    kind: SectionKind
    key: str
    digest: str
    index: int
    count: int
    data: str

    def name(self, gateway: str) -> str:
        """The name of the ConfigMap that holds this part for a gateway."""
        if self.kind == "gateway":
            return f"{gateway}-gateway-{self.index}"
        found = hashlib.sha256(self.key.encode()).hexdigest()[:20]
        return f"{gateway}-{self.kind}-{found}-{self.index}"

    def labels(self, gateway: str) -> dict[str, str]:
        """The labels by which pods find it."""
        return {GATEWAY_LABEL: gateway, SECTION_LABEL: self.kind}

    def annotations(self) -> dict[str, str]:
        """What a reader needs to put parts together."""
        place = {PART_ANNOTATION: f"{self.index}/{self.count}", DIGEST_ANNOTATION: self.digest}
        return {**place, API_ANNOTATION: self.key} if self.key else place


def snapshot_parts(snapshot: Snapshot) -> Iterator[Part]:
    """All parts of a snapshot."""
    yield from section_parts("gateway", "", digest(snapshot.gateway), snapshot.gateway)
    for key, api in snapshot.apis.items():
        yield from section_parts("api", key, api.digest, api.section)
    for key, subscriptions in snapshot.subscriptions.items():
        yield from section_parts("subscriptions", key, subscriptions.digest, subscriptions.section)


def section_parts(kind: SectionKind, key: str, whole: str, section: Wire) -> tuple[Part, ...]:
    """The parts of one section whose digest is `whole`."""
    text = encode(section).decode()
    pieces = list(_pieces(text))
    return tuple(Part(kind, key, whole, index, len(pieces), piece) for index, piece in enumerate(pieces, 1))


def read_part(labels: dict[str, str], annotations: dict[str, str], data: dict[str, str]) -> Part:
    """The part that an object holds. Raises PartError where it is none."""
    try:
        kind = labels[SECTION_LABEL]
        index, _, count = annotations[PART_ANNOTATION].partition("/")
        key = annotations.get(API_ANNOTATION, "")
        part = Part(kind, key, annotations[DIGEST_ANNOTATION], int(index), int(count), data[DATA_KEY])  # type: ignore[arg-type]
    except (KeyError, ValueError) as error:
        raise PartError(f"no part of a section: {error}") from error
    if kind not in _SECTIONS or not 1 <= part.index <= part.count or bool(key) == (kind == "gateway"):
        raise PartError(f"no part of a section: {kind} {annotations[PART_ANNOTATION]}")
    return part


def _pieces(text: str) -> Iterator[str]:
    """Cut by characters so that each piece stays below the limit in UTF-8."""
    if len(text) <= MAX_PART and len(text.encode()) <= MAX_PART:
        yield text
        return
    step = MAX_PART // 4
    for start in range(0, len(text), step):
        yield text[start : start + step]


class Assembler:
    """Puts parts together as they come and go; a section changes only once all its parts are there."""

    __slots__ = ("_parts", "_sections")

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], dict[int, Part]] = {}
        self._sections: dict[tuple[str, str], tuple[str, Wire]] = {}

    def add(self, part: Part) -> bool:
        """Take a part in; answers whether a section has changed.

        Raises PartError where the whole is no section that this version knows: the one before stays.
        """
        place = (part.kind, part.key)
        held = self._parts.setdefault(place, {})
        held[part.index] = part
        parts = [held.get(index) for index in range(1, part.count + 1)]
        whole = [
            one for one in parts if one is not None and (one.digest, one.count) == (part.digest, part.count)
        ]
        before = self._sections.get(place)
        if len(whole) < part.count or (before is not None and before[0] == part.digest):
            return False
        self._sections[place] = (part.digest, _decode(part.kind, "".join(one.data for one in whole)))
        return True

    def remove(self, kind: str, key: str, index: int) -> bool:
        """Drop a part; answers whether its section is gone with it (its first part is)."""
        held = self._parts.get((kind, key), {})
        held.pop(index, None)
        if not held:
            self._parts.pop((kind, key), None)
        return index == 1 and self._sections.pop((kind, key), None) is not None

    def snapshot(self) -> Snapshot | None:
        """What is there; None without the gateway's own section. Subscriptions without their API wait."""
        gateway = self._sections.get(("gateway", ""))
        if gateway is None:
            return None
        apis: dict[str, ApiEntry] = {}
        subscriptions: dict[str, SubscriptionsEntry] = {}
        for (_, key), (whole, section) in self._sections.items():
            if isinstance(section, ApiSection):
                apis[key] = ApiEntry(digest=whole, section=section)
            elif isinstance(section, SubscriptionsSection) and ("api", key) in self._sections:
                subscriptions[key] = SubscriptionsEntry(digest=whole, section=section)
        assert isinstance(gateway[1], GatewaySection)
        return Snapshot(gateway=gateway[1], apis=apis, subscriptions=subscriptions)


def _decode(kind: str, text: str) -> Wire:
    try:
        return msgspec.json.decode(text, type=_SECTIONS[kind])
    except msgspec.DecodeError as error:
        raise PartError(f"a section `{kind}` that this version cannot read: {error}") from error
