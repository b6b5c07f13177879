"""Plans with signed tokens (RFC 7519, RFC 8725): the token's client id names the subscription.

Only the algorithms of the plan are accepted, each only with a key that serves it. Whether a subscription
holds is looked at for each request, also where the token itself is remembered.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Exchange, Headers, Reply, Request
from gateway_runtime.security.claims import claims_hold
from gateway_runtime.security.keys import KeySet, from_pem, from_secret
from gateway_runtime.security.method import ABSENT, KeySetSource, SecurityEnvironment, Strip, Verdict
from gateway_runtime.security.subscriptions import Grant
from gateway_runtime.security.token import Token, parse_token
from gateway_runtime.security.verified import VerifiedTokens
from gateway_runtime.snapshot.types import JwtSecurity

MAX_TOKEN: Final = 16384
_MAX_TRIES: Final = 4
_FIELD: Final = b"authorization"


class JwtMethod:
    """The tokens of one plan.

    Raises ValueError for a key that cannot be read or does not serve the plan's algorithms, KeyError for a
    secret that is not there.
    """

    missing: str = "JWT_MISSING_TOKEN"

    def __init__(
        self,
        plan: str,
        security: JwtSecurity,
        grants: dict[str, list[Grant]],
        environment: SecurityEnvironment,
    ) -> None:
        self.propagate = security.propagate
        self.places: dict[str, Strip] = {"header authorization": _strip}
        self._plan = plan
        self._security = security
        self._grants = grants
        self._now = environment.now
        self._keys = _given_keys(security, environment)
        self._source: KeySetSource | None = None
        self._verified = VerifiedTokens()
        if self._keys is None and security.jwks_url is not None:
            self._source = environment.jwks(security.jwks_url, security.jwks_refresh)

    def is_present(self, exchange: Exchange) -> bool:
        """Whether a bearer token is there, good or not."""
        headers = exchange.request.headers
        return _FIELD in headers.names and _has_bearer(headers)

    def check(self, exchange: Exchange) -> Verdict:
        """Verify the token, or recall that it was."""
        headers = exchange.request.headers
        if _FIELD not in headers.names or not _has_bearer(headers):
            return ABSENT
        token = (headers.find(_FIELD) or b"")[6:].lstrip(b" \t")
        if headers.names.count(_FIELD) > 1 or not 0 < len(token) <= MAX_TOKEN:
            return _invalid()
        version = 0 if self._source is None else self._source.version
        claims = self._verified.find(sha256(token).digest(), self._now(), version)
        return self._verify(exchange, token) if claims is None else self._admit(exchange, claims)

    def _verify(self, exchange: Exchange, raw: bytes) -> Verdict:
        token = parse_token(raw)
        if token is None or token.algorithm not in self._security.algorithms:
            return _invalid()
        if self._source is None:
            return self._verify_with(self._keys, exchange, token, raw)
        keys = self._source.current()
        if keys is None or not keys.find(token.key_id, token.algorithm):
            return self._verify_later(self._source, exchange, token, raw)
        return self._verify_with(keys, exchange, token, raw)

    async def _verify_later(
        self, source: KeySetSource, exchange: Exchange, token: Token, raw: bytes
    ) -> Reply | None:
        return self._verify_with(await source.fetch(), exchange, token, raw)

    def _verify_with(self, keys: KeySet | None, exchange: Exchange, token: Token, raw: bytes) -> Reply | None:
        if keys is None:
            return error_reply("JWT_KEYS_UNAVAILABLE")
        tried = keys.find(token.key_id, token.algorithm)[:_MAX_TRIES]
        if not any(key.verify(token.algorithm, token.signed, token.signature) for key in tried):
            return _invalid()
        claims = token.claims()
        if claims is None or not claims_hold(claims, self._security, self._now()):
            return _invalid()
        until = claims["exp"] + self._security.clock_skew
        version = 0 if self._source is None else self._source.version
        self._verified.keep(sha256(raw).digest(), claims, len(raw), until, version)
        return self._admit(exchange, claims)

    def _admit(self, exchange: Exchange, claims: dict[str, Any]) -> Reply | None:
        client_id = claims.get(self._security.client_id_claim)
        grants = self._grants.get(client_id) if isinstance(client_id, str) else None
        if grants:
            refusal = self._subscribe(exchange, grants)
            if refusal is not None:
                return refusal
        elif self._security.require_subscription:
            return error_reply("SUBSCRIPTION_MISSING")
        exchange.plan = self._plan
        exchange.claims = claims
        if not self.propagate:
            _strip(exchange.request)
        return None

    def _subscribe(self, exchange: Exchange, grants: list[Grant]) -> Reply | None:
        """The first subscription that holds is the request's; None then, else why the first does not."""
        now = self._now()
        for grant in grants:
            if grant.refuse(now) is None:
                exchange.subscription = grant.info
                return None
        return grants[0].refuse(now)


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


def _has_bearer(headers: Headers) -> bool:
    """Whether a field names the scheme Bearer (RFC 6750 section 2.1)."""
    return any(value[:7].rstrip(b" \t").lower() == b"bearer" for value in headers.find_all(_FIELD))


def _strip(request: Request) -> None:
    request.headers.discard(_FIELD)


def _invalid() -> Reply:
    reply = error_reply("JWT_INVALID_TOKEN")
    reply.headers = [("www-authenticate", 'Bearer error="invalid_token"')]
    return reply
