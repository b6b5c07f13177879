"""Sections to the parts that travel as ConfigMaps, and an object back to the part that it holds.

A section larger than a ConfigMap may be is cut; its parts carry the digest of the whole, so that a reader
that has seen only some of them goes on with the section it had before (`snapshot/assembler.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeGuard, get_args

from gateway_runtime.snapshot.codec import digest, encode
from gateway_runtime.snapshot.types import Snapshot, Wire

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
_PLACE: Final = re.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", re.ASCII)


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


def read_part(labels: Mapping[str, str], annotations: Mapping[str, str], data: Mapping[str, str]) -> Part:
    """The part that an object holds. Raises PartError where it is none."""
    try:
        kind = labels[SECTION_LABEL]
        place = _PLACE.fullmatch(annotations[PART_ANNOTATION])
        whole, text = annotations[DIGEST_ANNOTATION], data[DATA_KEY]
    except KeyError as error:
        raise PartError(f"no part of a section: it has no {error}") from error
    key = annotations.get(API_ANNOTATION, "")
    if not _is_kind(kind) or place is None or bool(key) == (kind == "gateway"):
        raise PartError(f"no part of a section: `{kind}` of `{key}`, part {annotations[PART_ANNOTATION]}")
    index, count = int(place[1]), int(place[2])
    if index > count:
        raise PartError(f"no part of a section: part {index} of {count}")
    return Part(kind, key, whole, index, count, text)


def _is_kind(text: str) -> TypeGuard[SectionKind]:
    return text in get_args(SectionKind)


def _pieces(text: str) -> Iterator[str]:
    """Cut by characters so that each piece stays below the limit in UTF-8."""
    if len(text) <= MAX_PART and len(text.encode()) <= MAX_PART:
        yield text
        return
    step = MAX_PART // 4
    for start in range(0, len(text), step):
        yield text[start : start + step]
