"""Keys that check tokens: PEM, shared secrets and JSON Web Key Sets (RFC 7517)."""

from __future__ import annotations

import json
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

_KEY_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP", "HS": "oct"}
_MIN_SECRET: Final = 32
_MAX_KEYS: Final = 256


class Key:
    """One key and what it may be used for."""

    __slots__ = ("algorithm", "key", "key_id", "kind")

    def __init__(self, key: Any, kind: str, key_id: str | None, algorithm: str | None) -> None:
        self.key = key
        self.kind = kind
        self.key_id = key_id
        self.algorithm = algorithm

    def fits(self, algorithm: str) -> bool:
        """Whether the key may check signatures of that algorithm (RFC 8725 section 3.1)."""
        return self.kind == _KEY_TYPES.get(algorithm[:2]) and self.algorithm in (None, algorithm)


class KeySet:
    """Keys, found by the `kid` of a token."""

    __slots__ = ("_keys",)

    def __init__(self, keys: list[Key]) -> None:
        self._keys = keys

    def find(self, key_id: str | None, algorithm: str) -> list[Key]:
        """The keys that may have signed a token with this `kid` and `alg`."""
        return [
            key
            for key in self._keys
            if key.fits(algorithm) and (key_id is None or key.key_id in (None, key_id))
        ]


def from_pem(text: str) -> KeySet:
    """The key of a PEM public key. Raises ValueError where it is none."""
    key = load_pem_public_key(text.encode())
    return KeySet([Key(key, _kind_of(key), None, None)])


def from_secret(value: str) -> KeySet:
    """The key of a shared secret. Raises ValueError where it is too short to resist guessing (RFC 7518)."""
    raw = value.encode()
    if len(raw) < _MIN_SECRET:
        raise ValueError(f"the shared secret must have at least {_MIN_SECRET} bytes")
    return KeySet([Key(raw, "oct", None, None)])


def from_jwks(document: bytes) -> KeySet:
    """The public signature keys of a JWKS; entries of unknown types are left out (RFC 7517 section 5).

    Raises ValueError where the document is no key set.
    """
    members = json.loads(document)
    entries = members.get("keys") if isinstance(members, dict) else None
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        raise ValueError("the document is no JSON Web Key Set")
    keys = [_from_jwk(entry) for entry in entries if isinstance(entry, dict) and _is_usable(entry)]
    return KeySet([key for key in keys if key is not None])


def _is_usable(entry: dict[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        entry.get("kty") in ("RSA", "EC", "OKP")
        and entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
    )


def _from_jwk(entry: dict[str, Any]) -> Key | None:
    public = {name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
    try:
        parsed = jwt.PyJWK.from_dict(public)
    except jwt.PyJWTError:
        return None
    return Key(parsed.key, str(entry["kty"]), parsed.key_id, entry.get("alg"))


def _kind_of(key: object) -> str:
    name = type(key).__name__
    if "RSA" in name:
        return "RSA"
    return "EC" if "Elliptic" in name or "EC" in name else "OKP"
