"""Keys that check tokens: PEM, shared secrets and JSON Web Key Sets (RFC 7517).

A key knows which algorithms it may serve, by its type, its curve and its length (RFC 8725 sections 3.1 and
3.5), and never serves another: a public key is never taken for a shared secret.
"""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms

from gateway_runtime.security.token import strict_json

_VERIFIERS: Final = get_default_algorithms()
_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_SECRET_BYTES: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
_PARSERS: Final[dict[object, Any]] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}
_PUBLIC: Final = frozenset({"kty", "n", "e", "crv", "x", "y"})
_RSA_BITS: Final = range(2048, 16385)
_MAX_KEYS: Final = 256


class Key:
    """One key, the algorithms it serves, and its `kid` where it has one."""

    __slots__ = ("_key", "key_id", "serves")

    def __init__(self, key: Any, serves: frozenset[str], key_id: str | None = None) -> None:
        self._key = key
        self.serves = serves
        self.key_id = key_id

    def verify(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's; False for an algorithm that the key does not serve."""
        if algorithm not in self.serves:
            return False
        return bool(_VERIFIERS[algorithm].verify(signed, self._key, signature))


class KeySet:
    """Keys, found by the `kid` of a token."""

    __slots__ = ("_keys",)

    def __init__(self, keys: list[Key]) -> None:
        self._keys = keys

    def find(self, key_id: str | None, algorithm: str) -> list[Key]:
        """The keys that may have signed a token with this `kid` and `alg` (unnamed ones where none is)."""
        keys = [key for key in self._keys if algorithm in key.serves]
        if key_id is None:
            return keys
        return [key for key in keys if key.key_id == key_id] or [key for key in keys if key.key_id is None]

    def unserved(self, algorithms: tuple[str, ...]) -> str | None:
        """The first of the algorithms that no key here serves."""
        return next((name for name in algorithms if not self.find(None, name)), None)


def from_pem(text: str) -> KeySet:
    """The key of a PEM public key. Raises ValueError where it is none that can serve."""
    key = load_pem_public_key(text.encode())
    serves = _served_by(key)
    if not serves:
        raise ValueError("the public key is of a kind, curve or length that no algorithm accepts")
    return KeySet([Key(key, serves)])


def from_secret(value: str) -> KeySet:
    """The key of a shared secret, for the algorithms whose hash is not longer (RFC 7518 section 3.2)."""
    raw = value.encode()
    return KeySet([Key(raw, frozenset(name for name, least in _SECRET_BYTES.items() if len(raw) >= least))])


def from_jwks(document: bytes) -> KeySet:
    """The public signature keys of a JWKS; others, and broken ones, are left out (RFC 7517 section 5).

    Raises ValueError where the document is no key set.
    """
    members = strict_json(document)
    entries = members.get("keys") if isinstance(members, dict) else None
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        raise ValueError("the document is no JSON Web Key Set")
    keys = [_from_jwk(entry) for entry in entries if isinstance(entry, dict) and _is_usable(entry)]
    return KeySet([key for key in keys if key is not None and key.serves])


def _is_usable(entry: dict[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(entry.get("kid", ""), str)
        and isinstance(entry.get("alg", ""), str)
        and isinstance(entry.get("kty"), str)
        and entry["kty"] in _PARSERS
    )


def _from_jwk(entry: dict[str, Any]) -> Key | None:
    public = {name: value for name, value in entry.items() if name in _PUBLIC}
    try:
        key = _PARSERS[entry["kty"]].from_jwk(public)
    except Exception:  # whatever is wrong with one entry, the others serve
        return None
    serves = _served_by(key)
    return Key(key, serves & {entry["alg"]} if "alg" in entry else serves, entry.get("kid"))


def _served_by(key: object) -> frozenset[str]:
    if isinstance(key, rsa.RSAPublicKey):
        return _RSA if key.key_size in _RSA_BITS else frozenset()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return frozenset({_CURVES[key.curve.name]} if key.curve.name in _CURVES else ())
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return frozenset({"EdDSA"})
    return frozenset()
