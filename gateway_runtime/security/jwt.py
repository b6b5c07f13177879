"""Plans with signed tokens (RFC 7519, RFC 8725): the token's client id names the subscription.

Only the algorithms of the plan are accepted, each only with a key of its type. Verified tokens are
remembered, by their digest and until they end, since clients send one token many times.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Any, Final

import jwt

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.security.keys import KeySet, from_pem, from_secret
from gateway_runtime.security.method import ABSENT, KeySetSource, SecurityEnvironment, Verdict
from gateway_runtime.security.subscriptions import Grant
from gateway_runtime.snapshot.types import JwtSecurity

MAX_TOKEN: Final = 16384
MAX_REMEMBERED: Final = 4096


class _Verified:
    """A token whose signature and claims are good until `until`, with the keys of `version`."""

    __slots__ = ("claims", "until", "version")

    def __init__(self, claims: dict[str, Any], until: float, version: int) -> None:
        self.claims = claims
        self.until = until
        self.version = version


class JwtMethod:
    """The tokens of one plan.

    Raises ValueError for a key that cannot be read, KeyError for a secret that is not there.
    """

    missing = "JWT_MISSING_TOKEN"

    def __init__(
        self, plan: str, security: JwtSecurity, grants: dict[str, Grant], environment: SecurityEnvironment
    ) -> None:
        self._plan = plan
        self._security = security
        self._grants = grants
        self._now = environment.now
        self._keys: KeySet | None = None
        self._source: KeySetSource | None = None
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()
        if security.public_key is not None:
            self._keys = from_pem(security.public_key)
        elif security.secret is not None:
            self._keys = from_secret(environment.secret(security.secret.uri))
        elif security.jwks_url is not None:
            self._source = environment.jwks(security.jwks_url, security.jwks_refresh)

    def is_present(self, exchange: Exchange) -> bool:
        """Whether a bearer token is there, good or not."""
        value = exchange.request.headers.find(b"authorization")
        return value is not None and value[:7].lower() == b"bearer "

    def check(self, exchange: Exchange) -> Verdict:
        """Verify the token, or recall that it was."""
        if not self.is_present(exchange):
            return ABSENT
        headers = exchange.request.headers
        token = (headers.find(b"authorization") or b"")[7:].strip(b" ")
        if headers.names.count(b"authorization") > 1 or not 0 < len(token) <= MAX_TOKEN:
            return _invalid()
        digest = sha256(token).digest()
        known = self._remembered.get(digest)
        if known is not None and known.until > self._now() and known.version == self._version():
            self._remembered.move_to_end(digest)
            return self._admit(exchange, known.claims)
        return self._verify(exchange, token, digest)

    def _version(self) -> int:
        return 0 if self._source is None else self._source.version

    def _verify(self, exchange: Exchange, token: bytes, digest: bytes) -> Verdict:
        header = self._header(token)
        if header is None:
            return _invalid()
        keys = self._keys if self._source is None else self._source.current()
        if keys is None or (self._source is not None and not keys.find(header[0], header[1])):
            return self._verify_later(exchange, token, digest)
        return self._verify_with(keys, exchange, token, digest)

    async def _verify_later(self, exchange: Exchange, token: bytes, digest: bytes) -> Reply | None:
        keys = None if self._source is None else await self._source.fetch()
        if keys is None:
            return error_reply("JWT_KEYS_UNAVAILABLE")
        verdict = self._verify_with(keys, exchange, token, digest)
        assert verdict is None or isinstance(verdict, Reply)
        return verdict

    def _header(self, token: bytes) -> tuple[str | None, str] | None:
        """`kid` and `alg` of a token that may be looked at at all."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            return None
        key_id, algorithm = header.get("kid"), header.get("alg")
        if algorithm not in self._security.algorithms or "crit" in header:
            return None
        return (key_id if isinstance(key_id, str) else None), str(algorithm)

    def _verify_with(self, keys: KeySet, exchange: Exchange, token: bytes, digest: bytes) -> Verdict:
        header = self._header(token)
        if header is None:
            return _invalid()
        for key in keys.find(*header)[:4]:
            claims = self._claims(token, key.key, header[1])
            if claims is not None:
                self._remember(digest, claims)
                return self._admit(exchange, claims)
        return _invalid()

    def _claims(self, token: bytes, key: Any, algorithm: str) -> dict[str, Any] | None:
        security = self._security
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=list(security.audiences) or None,
                issuer=security.issuer,
                leeway=security.clock_skew,
                options={"require": ["exp"], "verify_aud": bool(security.audiences)},
            )
        except (jwt.PyJWTError, TypeError, ValueError):
            return None

    def _remember(self, digest: bytes, claims: dict[str, Any]) -> None:
        until = float(claims["exp"]) + self._security.clock_skew
        self._remembered[digest] = _Verified(claims, until, self._version())
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    def _admit(self, exchange: Exchange, claims: dict[str, Any]) -> Verdict:
        client_id = claims.get(self._security.client_id_claim)
        grant = self._grants.get(client_id) if isinstance(client_id, str) else None
        if grant is None:
            if self._security.require_subscription:
                return error_reply("SUBSCRIPTION_MISSING")
        else:
            refusal = grant.refuse(self._now())
            if refusal is not None:
                return refusal
            exchange.subscription = grant.info
        exchange.plan = self._plan
        exchange.claims = claims
        if not self._security.propagate:
            exchange.request.headers.discard(b"authorization")
        return None


def _invalid() -> Reply:
    reply = error_reply("JWT_INVALID_TOKEN")
    reply.headers = [("www-authenticate", 'Bearer error="invalid_token"')]
    return reply
