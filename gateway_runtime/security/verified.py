"""Tokens that were verified, remembered by their digest while they hold: clients send one many times."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

MAX_ENTRIES: Final = 4096
MAX_BYTES: Final = 4 << 20
"""Of the remembered tokens; their claims take a few times that."""


class _Entry:
    """Claims that are good until `until`, with the keys of `version`."""

    __slots__ = ("claims", "size", "until", "version")

    def __init__(self, claims: dict[str, Any], size: int, until: float, version: int) -> None:
        self.claims = claims
        self.size = size
        self.until = until
        self.version = version


class VerifiedTokens:
    """The claims of the tokens used last, bounded in number and bytes."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, digest: bytes, now: float, version: int) -> dict[str, Any] | None:
        """The claims of a token, where they still hold and the keys are the same."""
        entry = self._entries.get(digest)
        if entry is None or entry.until <= now or entry.version != version:
            return None
        self._entries.move_to_end(digest)
        return entry.claims

    def keep(self, digest: bytes, claims: dict[str, Any], size: int, until: float, version: int) -> None:
        """Remember a token of `size` bytes; those not used for longest give way."""
        replaced = self._entries.pop(digest, None)
        self._bytes += size - (0 if replaced is None else replaced.size)
        self._entries[digest] = _Entry(claims, size, until, version)
        while len(self._entries) > MAX_ENTRIES or self._bytes > MAX_BYTES:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= oldest.size
