"""Checks that the key of a jwt plan fits its algorithms (RFC 7518 section 3.1, RFC 8037)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gateway_runtime.expressions.scan import START
from penstock_operator.graph.types import Finding
from penstock_operator.graph.urls import url_error
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.plan import Jwt, Plan

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_PATH: FieldPath = ("spec", "security", "jwt")
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}


def mismatched_keys(plan: Plan) -> Iterator[Finding]:
    """Algorithms of a jwt plan that its public key cannot serve, and keys that are none.

    What holds a secret is known in the gateway alone, which refuses the API's requests where it does not fit.
    That HS algorithms go with a shared secret alone is a rule of the resource itself.
    """
    jwt = plan.spec.security.jwt
    if jwt is None:
        return
    if jwt.key.public_key is not None and START not in jwt.key.public_key:
        yield from _public_key(jwt, jwt.key.public_key)
    elif jwt.key.jwks is not None and START not in jwt.key.jwks.url:
        message = url_error(jwt.key.jwks.url)
        if message:
            yield Finding("InvalidUrl", message, (*_PATH, "key", "jwks", "url"))


def secret_length_error(jwt: Jwt, secret: bytes) -> str | None:
    """What is wrong with a shared secret: it must be as long as the hash (RFC 7518 section 3.2)."""
    needed = max((_SECRET_BYTES.get(name, 0) for name in jwt.algorithms), default=0)
    if len(secret) >= needed:
        return None
    return f"the secret has {len(secret)} bytes, {max(jwt.algorithms)} needs {needed} or more"


def _public_key(jwt: Jwt, pem: str) -> Iterator[Finding]:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - loaded where one is used
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        message = "not a public key in PEM (-----BEGIN PUBLIC KEY-----)"
        yield Finding("InvalidKey", message, (*_PATH, "key", "publicKey"))
        return
    serves, what = _served_by(key)
    yield from _mismatches(jwt, serves, what)


def _served_by(key: PublicKeyTypes) -> tuple[Callable[[str], bool], str]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa  # noqa: PLC0415

    if isinstance(key, rsa.RSAPublicKey):
        return lambda name: name[:2] in ("RS", "PS"), "an RSA public key"
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = key.curve.name
        return lambda name: _CURVES.get(name) == curve, f"a public key on the curve {curve}"
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return lambda name: name == "EdDSA", "an Edwards-curve public key"
    return lambda _: False, "a public key of another kind"


def _mismatches(jwt: Jwt, serves: Callable[[str], bool], what: str) -> Iterator[Finding]:
    for index, name in enumerate(jwt.algorithms):
        if not serves(name):
            message = f"{name} does not work with {what}"
            yield Finding("AlgorithmKeyMismatch", message, (*_PATH, "algorithms", index))
