"""Keys and tokens for the tests; tokens are built by hand where no library would make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from security_world import NOW

SECRET = "s" * 64
CURVES: dict[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}


def private_key(algorithm: str, number: int = 0) -> Any:
    """A private key for that algorithm; another one for each number."""
    return _made_key(algorithm, number)


@cache
def _made_key(algorithm: str, number: int) -> Any:
    if algorithm.startswith("HS"):
        return SECRET
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm])
    return rsa.generate_private_key(65537, 2048)


def pem(key: Any) -> str:
    """The public half in PEM."""
    public: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode()


def jwk(key: Any, **members: Any) -> dict[str, Any]:
    """The public half as a JWK with further members."""
    kind = type(key.public_key()).__name__
    maker: Any = RSAAlgorithm if "RSA" in kind else OKPAlgorithm if "Ed" in kind else ECAlgorithm
    return {**maker.to_jwk(key.public_key(), as_dict=True), **members}


def claims(**more: Any) -> dict[str, Any]:
    """Claims that hold for a minute; None takes one away."""
    given = {"exp": int(NOW) + 60, "azp": "mobile-app", **more}
    return {name: value for name, value in given.items() if value is not None}


def token(
    algorithm: str = "RS256", key: Any = None, headers: dict[str, Any] | None = None, **more: Any
) -> str:
    """A signed token as an honest issuer makes it."""
    return jwt.encode(claims(**more), key or private_key(algorithm), algorithm, headers=headers)


def encoded(part: bytes) -> bytes:
    """A part of a token, base64url without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def hand_made(header: bytes | dict[str, Any], payload: bytes | dict[str, Any], secret: bytes) -> str:
    """A token signed with HMAC-SHA-256 whatever its header says."""
    raw = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signed = b".".join(encoded(part) for part in raw)
    return (signed + b"." + encoded(hmac.digest(secret, signed, hashlib.sha256))).decode()
