"""Plans with signed tokens in requests: the token's client id names the subscription.

Whether a subscription holds is looked at for each request, also where the token itself is remembered.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from gateway_runtime.exchange import Exchange, Headers, Reply, Request
from gateway_runtime.security.clients import Clients
from gateway_runtime.security.method import ABSENT, SecurityEnvironment, Strip, Verdict
from gateway_runtime.security.signed import Claims, SignedTokens, invalid_token
from gateway_runtime.security.subscriptions import Grant
from gateway_runtime.snapshot.types import JwtSecurity

_FIELD: Final = b"authorization"


class JwtMethod:
    """The tokens of one plan; raises as `SignedTokens` does."""

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
        self._claim = security.client_id_claim
        self._clients = Clients(grants, security.require_subscription)
        self._now = environment.now
        self._tokens = SignedTokens(security, environment)

    def is_present(self, exchange: Exchange) -> bool:
        """Whether a bearer token is there, good or not."""
        headers = exchange.request.headers
        return _FIELD in headers.names and _has_bearer(headers)

    def check(self, exchange: Exchange) -> Verdict:
        """Verify the token, or recall that it was."""
        headers = exchange.request.headers
        if _FIELD not in headers.names or not _has_bearer(headers):
            return ABSENT
        if headers.names.count(_FIELD) > 1:
            return invalid_token()
        claims = self._tokens.claims((headers.find(_FIELD) or b"")[6:].lstrip(b" \t"))
        if isinstance(claims, dict):
            return self._admit(exchange, claims)
        return claims if isinstance(claims, Reply) else self._check_later(exchange, claims)

    async def _check_later(self, exchange: Exchange, later: Awaitable[Claims | Reply]) -> Reply | None:
        claims = await later
        return claims if isinstance(claims, Reply) else self._admit(exchange, claims)

    def _admit(self, exchange: Exchange, claims: Claims) -> Reply | None:
        grant = self._clients.find(claims.get(self._claim), self._now())
        if isinstance(grant, Reply):
            return grant
        if grant is not None:
            exchange.subscription = grant.info
        exchange.plan = self._plan
        exchange.claims = claims
        if not self.propagate:
            _strip(exchange.request)
        return None


def _has_bearer(headers: Headers) -> bool:
    """Whether a field names the scheme Bearer (RFC 6750 section 2.1)."""
    return any(value[:7].rstrip(b" \t").lower() == b"bearer" for value in headers.find_all(_FIELD))


def _strip(request: Request) -> None:
    request.headers.discard(_FIELD)
