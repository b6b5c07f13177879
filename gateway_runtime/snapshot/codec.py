"""Sections to bytes, digests and differences."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from gateway_runtime.snapshot.types import (
    ApiEntry,
    ApiSection,
    GatewaySection,
    Snapshot,
    SubscriptionsEntry,
    SubscriptionsSection,
    Wire,
)

_ENCODER = msgspec.json.Encoder(order="deterministic")


class Delta(Wire):
    """What turns one snapshot into the next; `None` and empty mean unchanged."""

    gateway: GatewaySection | None = None
    apis: dict[str, ApiEntry] = {}
    removed_apis: tuple[str, ...] = ()
    subscriptions: dict[str, SubscriptionsEntry] = {}
    removed_subscriptions: tuple[str, ...] = ()


def encode(value: Wire) -> bytes:
    """The canonical JSON of a wire value."""
    return _ENCODER.encode(value)


def digest(section: Wire) -> str:
    """The first 16 bytes of the SHA-256 of a section's canonical JSON, in hexadecimal."""
    return text_digest(encode(section))


def text_digest(text: bytes) -> str:
    """The digest of a section that is JSON already."""
    return hashlib.sha256(text).hexdigest()[:32]


def api_entry(section: ApiSection) -> ApiEntry:
    """A section with its digest."""
    return ApiEntry(digest=digest(section), section=section)


def subscriptions_entry(section: SubscriptionsSection) -> SubscriptionsEntry:
    """A section with its digest."""
    return SubscriptionsEntry(digest=digest(section), section=section)


def difference(old: Snapshot, new: Snapshot) -> Delta:
    """The delta from `old` to `new`, found by identity first and digest second."""
    return Delta(
        gateway=None if old.gateway == new.gateway else new.gateway,
        apis=_changed(old.apis, new.apis),
        removed_apis=tuple(key for key in old.apis if key not in new.apis),
        subscriptions=_changed(old.subscriptions, new.subscriptions),
        removed_subscriptions=tuple(key for key in old.subscriptions if key not in new.subscriptions),
    )


def apply(old: Snapshot, delta: Delta) -> Snapshot:
    """The snapshot that `delta` leads to."""
    apis = {key: entry for key, entry in old.apis.items() if key not in delta.removed_apis}
    apis.update(delta.apis)
    subscriptions = {k: e for k, e in old.subscriptions.items() if k not in delta.removed_subscriptions}
    subscriptions.update(delta.subscriptions)
    gateway = old.gateway if delta.gateway is None else delta.gateway
    return Snapshot(gateway=gateway, apis=apis, subscriptions=subscriptions)


def is_empty(delta: Delta) -> bool:
    """Whether a delta changes nothing."""
    return delta == Delta()


_Entry = TypeVar("_Entry", ApiEntry, SubscriptionsEntry)


def _changed(old: dict[str, _Entry], new: dict[str, _Entry]) -> dict[str, _Entry]:
    changed = {}
    for key, entry in new.items():
        before = old.get(key)
        if before is not entry and (before is None or before.digest != entry.digest):
            changed[key] = entry
    return changed
