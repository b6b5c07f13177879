"""Parts of sections, as they come and go, to a snapshot.

A section changes only once all parts of a whole are there and their text is what its digest says: it is never
made of two edits. Until then, and where a whole cannot be read, the section before stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

import msgspec

from gateway_runtime.snapshot.codec import text_digest
from gateway_runtime.snapshot.parts import Part, PartError
from gateway_runtime.snapshot.types import (
    ApiEntry,
    ApiSection,
    GatewaySection,
    Snapshot,
    SubscriptionsEntry,
    SubscriptionsSection,
)

Place = tuple[str, str]
"""Kind and key of a section."""

_GATEWAY: Final[Place] = ("gateway", "")
_GATEWAYS: Final = msgspec.json.Decoder(GatewaySection)
_APIS: Final = msgspec.json.Decoder(ApiSection)
_SUBSCRIPTIONS: Final = msgspec.json.Decoder(SubscriptionsSection)
_Section = TypeVar("_Section", GatewaySection, ApiSection, SubscriptionsSection)


class Assembler:
    """Puts parts together; `problems` says of each section why its newest parts are not what is served."""

    __slots__ = ("_apis", "_gateway", "_parts", "_served", "_subscriptions", "problems")

    def __init__(self) -> None:
        self.problems: dict[Place, str] = {}
        self._parts: dict[Place, dict[int, Part]] = {}
        self._served: dict[Place, str] = {}
        self._gateway: GatewaySection | None = None
        self._apis: dict[str, ApiEntry] = {}
        self._subscriptions: dict[str, SubscriptionsEntry] = {}

    def add(self, part: Part) -> None:
        """Take a part in, in the place of the one before it with the same index."""
        place = (part.kind, part.key)
        held = self._parts.setdefault(place, {})
        held[part.index] = part
        whole = _whole(held, part)
        if whole is None:
            self._note_waiting(place)
            return
        try:
            self._serve(place, part.digest, whole)
        except PartError as error:
            self.problems[place] = str(error)
        else:
            self.problems.pop(place, None)
        if part.count == 1:
            # Its text is in the section now; those of several wait for each other, even after one was away.
            held[1] = replace(part, data="")

    def remove(self, kind: str, key: str, index: int) -> None:
        """Drop a part; its section goes with its first part."""
        place = (kind, key)
        held = self._parts.get(place, {})
        held.pop(index, None)
        if index == 1:
            self._drop(place)
        if held:
            self._note_waiting(place)
        else:
            self._parts.pop(place, None)
            self.problems.pop(place, None)

    def snapshot(self) -> Snapshot | None:
        """What is there; None without the gateway's own section. Subscriptions without their API wait."""
        if self._gateway is None:
            return None
        subscriptions = {key: entry for key, entry in self._subscriptions.items() if key in self._apis}
        return Snapshot(gateway=self._gateway, apis=self._apis.copy(), subscriptions=subscriptions)

    def _note_waiting(self, place: Place) -> None:
        """Say that parts are missing, unless what the first part belongs to is served."""
        first = self._parts[place].get(1)
        if first is None or first.digest != self._served.get(place):
            self.problems[place] = f"parts of the section `{place[0]}` are missing"
        else:
            self.problems.pop(place, None)

    def _serve(self, place: Place, digest: str, text: str) -> None:
        kind, key = place
        if text_digest(text.encode()) != digest:
            raise PartError(f"the section `{kind}` is not what its digest says")
        if self._served.get(place) == digest:
            return
        if kind == "api":
            api = _decode(_APIS, kind, text)
            _check_key(place, f"{api.namespace}/{api.name}")
            self._apis[key] = ApiEntry(digest=digest, section=api)
        elif kind == "subscriptions":
            section = _decode(_SUBSCRIPTIONS, kind, text)
            _check_key(place, section.api)
            self._subscriptions[key] = SubscriptionsEntry(digest=digest, section=section)
        else:
            self._gateway = _decode(_GATEWAYS, kind, text)
        self._served[place] = digest

    def _drop(self, place: Place) -> None:
        self._served.pop(place, None)
        kind, key = place
        if kind == "api":
            self._apis.pop(key, None)
        elif kind == "subscriptions":
            self._subscriptions.pop(key, None)
        else:
            self._gateway = None


def _whole(held: dict[int, Part], part: Part) -> str | None:
    """The text of all parts that belong to the same whole; None where some are missing."""
    texts = []
    for index in range(1, part.count + 1):
        one = held.get(index)
        if one is None or (one.digest, one.count) != (part.digest, part.count):
            return None
        texts.append(one.data)
    return "".join(texts)


def _decode(decoder: msgspec.json.Decoder[_Section], kind: str, text: str) -> _Section:
    try:
        return decoder.decode(text)
    except msgspec.DecodeError as error:
        raise PartError(f"this version cannot read the section `{kind}`: {error}") from error


def _check_key(place: Place, key: str) -> None:
    if place[1] != key:
        raise PartError(f"the section `{place[0]}` is of `{key}`, not of `{place[1]}`")
