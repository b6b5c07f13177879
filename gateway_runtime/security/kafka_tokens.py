"""Bearer tokens of Kafka clients, by OAUTHBEARER: those of JWT plans and of OAuth2 plans."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Reply
from gateway_runtime.protocols.kafka.sasl_server import Failed
from gateway_runtime.security.clients import Clients
from gateway_runtime.security.kafka_identity import Admitted, Rule, earlier
from gateway_runtime.security.method import SecurityEnvironment
from gateway_runtime.security.refusals import weightier
from gateway_runtime.security.subscriptions import grants_by_client
from gateway_runtime.snapshot.types import JwtSecurity, OAuth2Security, Plan, SubscriptionsSection

Claims = dict[str, Any]


class Tokens(Protocol):
    """What tells the claims of a token."""

    def claims(self, raw: bytes) -> Claims | Reply | Awaitable[Claims | Reply]:
        """The claims of a good token, the reply that refuses another."""
        ...

    def ends_at(self, claims: Claims) -> float | None:
        """When the token ends."""
        ...


class TokenPlan:
    """The tokens of one plan; raises as `SignedTokens` and `IntrospectedTokens` do."""

    def __init__(
        self,
        plan: Plan,
        subscriptions: SubscriptionsSection | None,
        rule: Rule,
        environment: SecurityEnvironment,
    ) -> None:
        assert isinstance(plan.security, JwtSecurity | OAuth2Security)
        self.method = "jwt" if isinstance(plan.security, JwtSecurity) else "oauth2"
        self._plan = plan.name
        self._claim = plan.security.client_id_claim
        self._rule = rule
        self._now = environment.now
        self._tokens = _tokens(plan.security, environment)
        self._clients = Clients(
            grants_by_client(subscriptions, plan.name), plan.security.require_subscription
        )

    async def admit(self, raw: bytes) -> Admitted | Reply:
        """Who a token lets in."""
        claims = self._tokens.claims(raw)
        if not isinstance(claims, dict | Reply):
            claims = await claims
        return claims if isinstance(claims, Reply) else self._admit(claims)

    def still_holds(self, admitted: Admitted, now: float) -> str:
        """Why a client with a token must go, empty where it may stay."""
        return self._clients.still_holds(admitted.subscription, now)

    def _admit(self, claims: Claims) -> Admitted | Reply:
        client_id = claims.get(self._claim)
        grant = self._clients.find(client_id, self._now())
        if isinstance(grant, Reply):
            return grant
        info = None if grant is None else grant.info
        principal = next((name for name in (claims.get("sub"), client_id) if isinstance(name, str)), "")
        end = earlier(grant, self._tokens.ends_at(claims))
        admitted = Admitted(self._plan, info, claims, principal, end, self.method)
        return admitted if self._rule(admitted) else error_reply("GATEWAY_PLAN_UNRESOLVABLE")


def bearer_check(plans: list[TokenPlan]) -> Callable[[bytes, str], Awaitable[Admitted | Failed]]:
    """What tells whom a token lets in, by the first of the plans that does."""

    async def check(raw: bytes, authorization: str) -> Admitted | Failed:
        refusal: Reply | None = None
        for plan in plans:
            found = await plan.admit(raw)
            if isinstance(found, Admitted):
                is_itself = authorization in ("", found.principal)
                return found if is_itself else Failed("SASL_AUTHORIZATION_REFUSED")
            refusal = weightier(refusal, found)
        return Failed("GATEWAY_PLAN_UNRESOLVABLE" if refusal is None else refusal.key)

    return check


def _tokens(security: JwtSecurity | OAuth2Security, environment: SecurityEnvironment) -> Tokens:
    if isinstance(security, OAuth2Security):
        from gateway_runtime.security.introspection import IntrospectedTokens  # noqa: PLC0415 - as below

        return IntrospectedTokens(security, environment.now)
    # Only an API with such a plan pays for the cryptography.
    from gateway_runtime.security.signed import SignedTokens  # noqa: PLC0415

    return SignedTokens(security, environment)
