"""Who a Kafka client is, once a plan has let it in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Request, SubscriptionInfo
from gateway_runtime.security.method import SecurityEnvironment
from gateway_runtime.security.subscriptions import Grant
from gateway_runtime.snapshot.types import Plan

_LOG: Final = logging.getLogger(__name__)
_ENDLESS: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A client that was let in: by which plan, as whom, until when (seconds since the epoch; None: no end).

    `method` is the kind of the plan's security; `key_digest` is that of the API key, where one was used.
    """

    plan: str
    subscription: SubscriptionInfo | None
    claims: dict[str, Any] | None
    principal: str
    expires_at: float | None
    method: str = ""
    key_digest: bytes = field(default=b"", repr=False)

    def is_same_client(self, other: Admitted) -> bool:
        """Whether another authentication gave the same client: a connection keeps its own (KIP-368)."""
        mine, others = self.subscription, other.subscription
        return self.principal == other.principal and (mine and mine.name) == (others and others.name)


Rule = Callable[[Admitted], bool]
"""A plan's selection rule, asked about a client that the plan would let in."""


def earlier(grant: Grant | None, other: float | None) -> float | None:
    """The end of a subscription, or an earlier one; None where there is no end."""
    end = min(_ENDLESS if grant is None else grant.ends_at, _ENDLESS if other is None else other)
    return None if end == _ENDLESS else end


def compile_rule(plan: Plan, api: ApiInfo, environment: SecurityEnvironment) -> Rule:
    """The selection rule of a plan; without one it is for all. Raises ExpressionError for a broken one."""
    if plan.selection_rule is None:
        return lambda _: True
    condition = environment.condition(plan.selection_rule)

    def rule(admitted: Admitted) -> bool:
        try:
            return condition(exchange_of(admitted, api))
        except Exception as error:  # a rule that cannot tell lets nobody in
            _LOG.warning("the selection rule of plan %s fails: %s", plan.name, type(error).__name__)
            return False

    return rule


def exchange_of(admitted: Admitted, api: ApiInfo) -> Exchange:
    """What expressions see of a client: there is no HTTP request."""
    exchange = Exchange(Request("", "", "", "", Headers([], [])), api)
    exchange.plan, exchange.subscription = admitted.plan, admitted.subscription
    exchange.claims = admitted.claims
    return exchange
