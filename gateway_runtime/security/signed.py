"""Signed tokens (RFC 7519, RFC 8725) to their claims, once they have been verified.

Only the algorithms of the plan are accepted, each only with a key that serves it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from hashlib import sha256
from typing import Any, Final

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Reply
from gateway_runtime.security.claims import claims_hold
from gateway_runtime.security.keys import KeySet, from_pem, from_secret
from gateway_runtime.security.method import KeySetSource, SecurityEnvironment
from gateway_runtime.security.token import Token, parse_token
from gateway_runtime.security.verified import VerifiedTokens
from gateway_runtime.snapshot.types import JwtSecurity

MAX_TOKEN: Final = 16384
_MAX_TRIES: Final = 4

Claims = dict[str, Any]


class SignedTokens:
    """The tokens of one plan.

    Raises ValueError for a key that cannot be read or does not serve the plan's algorithms, KeyError for a
    secret that is not there.
    """

    def __init__(self, security: JwtSecurity, environment: SecurityEnvironment) -> None:
        self._security = security
        self._now = environment.now
        self._keys = _given_keys(security, environment)
        self._source: KeySetSource | None = None
        self._verified = VerifiedTokens()
        if self._keys is None and security.jwks_url is not None:
            self._source = environment.jwks(security.jwks_url, security.jwks_refresh)

    def claims(self, raw: bytes) -> Claims | Reply | Awaitable[Claims | Reply]:
        """The claims of a token that is verified, or was; the reply that refuses another."""
        if not 0 < len(raw) <= MAX_TOKEN:
            return invalid_token()
        version = 0 if self._source is None else self._source.version
        claims = self._verified.find(sha256(raw).digest(), self._now(), version)
        return self._verify(raw) if claims is None else claims

    def ends_at(self, claims: Claims) -> float:
        """When a token with these claims is no longer accepted, in seconds since the epoch."""
        return float(claims["exp"] + self._security.clock_skew)

    def _verify(self, raw: bytes) -> Claims | Reply | Awaitable[Claims | Reply]:
        token = parse_token(raw)
        if token is None or token.algorithm not in self._security.algorithms:
            return invalid_token()
        if self._source is None:
            return self._verify_with(self._keys, token, raw)
        keys = self._source.current()
        if keys is None or not keys.find(token.key_id, token.algorithm):
            return self._verify_later(self._source, token, raw)
        return self._verify_with(keys, token, raw)

    async def _verify_later(self, source: KeySetSource, token: Token, raw: bytes) -> Claims | Reply:
        return self._verify_with(await source.fetch(), token, raw)

    def _verify_with(self, keys: KeySet | None, token: Token, raw: bytes) -> Claims | Reply:
        if keys is None:
            return error_reply("JWT_KEYS_UNAVAILABLE")
        tried = keys.find(token.key_id, token.algorithm)[:_MAX_TRIES]
        if not any(key.verify(token.algorithm, token.signed, token.signature) for key in tried):
            return invalid_token()
        claims = token.claims()
        if claims is None or not claims_hold(claims, self._security, self._now()):
            return invalid_token()
        version = 0 if self._source is None else self._source.version
        self._verified.keep(sha256(raw).digest(), claims, len(raw), self.ends_at(claims), version)
        return claims


def invalid_token() -> Reply:
    """The reply to a token that is not accepted (RFC 6750 section 3.1)."""
    reply = error_reply("JWT_INVALID_TOKEN")
    reply.headers = [("www-authenticate", 'Bearer error="invalid_token"')]
    return reply


def _given_keys(security: JwtSecurity, environment: SecurityEnvironment) -> KeySet | None:
    """The key that the plan itself names; None for one with a JWKS."""
    if security.public_key is not None:
        keys = from_pem(security.public_key)
    elif security.secret is not None:
        keys = from_secret(environment.secret(security.secret.uri))
    else:
        return None
    unserved = keys.unserved(security.algorithms)
    if unserved is not None:
        raise ValueError(f"{unserved} does not work with the plan's key: wrong kind, or too short")
    return keys
