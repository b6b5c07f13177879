"""Turns the API key of a subscription into what checks SCRAM proofs of it (RFC 5802 section 3).

The derivation is slow on purpose, so what it gives is kept while the key stays.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Final

from gateway_runtime.snapshot.keys import SCRAM_MECHANISMS, scram_salt

ITERATIONS: Final = 4096
"""Keys are long and random, or at least long: the least that clients accept does (RFC 7677 section 4)."""
_HASHES: Final = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """StoredKey and ServerKey of one API key for one mechanism."""

    mechanism: str
    salt: bytes
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@dataclass(slots=True, eq=False)
class ScramMemo:
    """The keys of subscriptions (by `namespace/name`), each by the digest of its API key."""

    known: dict[str, dict[str, tuple[ScramKeys, ...]]] = field(default_factory=dict)

    def keys_of(self, subscription: str, values: tuple[bytes, ...]) -> tuple[ScramKeys, ...]:
        """The keys of each API key of a subscription, for each mechanism; those of others are forgotten."""
        before, now = self.known.get(subscription, {}), dict[str, tuple[ScramKeys, ...]]()
        for value in values:
            name = hashlib.sha256(value).hexdigest()
            now[name] = before.get(name) or derive(subscription, value)
        self.known[subscription] = now
        return tuple(keys for group in now.values() for keys in group)

    def keep(self, subscriptions: Container[str]) -> None:
        """Forget the keys of subscriptions that are not among these."""
        self.known = {name: keys for name, keys in self.known.items() if name in subscriptions}


def derive(subscription: str, value: bytes) -> tuple[ScramKeys, ...]:
    """The keys of an API key for each mechanism; all API keys of a subscription have the same salt."""
    salt = scram_salt(subscription)
    return tuple(scram_keys(mechanism, salt, value) for mechanism in SCRAM_MECHANISMS)


def scram_keys(mechanism: str, salt: bytes, value: bytes) -> ScramKeys:
    """The keys of a password for one mechanism."""
    name = _HASHES[mechanism]
    salted = hashlib.pbkdf2_hmac(name, value, salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", name)
    stored_key = hashlib.new(name, client_key).digest()
    return ScramKeys(mechanism, salt, stored_key, hmac.digest(salted, b"Server Key", name))
