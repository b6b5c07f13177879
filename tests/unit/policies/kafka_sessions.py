"""What steps of `interact` add to the rules of a client's session."""

from __future__ import annotations

from typing import Any

from gateway_runtime.counters.local import LocalCounter
from gateway_runtime.exchange import ApiInfo, ApplicationInfo, Exchange, Headers, Request, SubscriptionInfo
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.base import InteractFunction
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.steps import compile_interact
from gateway_runtime.snapshot.types import Step


def client(
    subscription: str | None = "sub", address: str = "192.0.2.7", claims: dict[str, object] | None = None
) -> Exchange:
    """A client that was let in, with a subscription of the application `app`."""
    request = Request("", "", "", "", Headers([], []))
    request.remote_address = address
    found = Exchange(request, ApiInfo("orders", "shop", "1.2", {"team": "team1"}))
    if subscription is not None:
        found.subscription = SubscriptionInfo(subscription, "gold", ApplicationInfo("app", "app-id"))
    found.claims = claims
    return found


def compiled(
    policy: str, configuration: dict[str, Any], scope: str = "shop/orders api 0"
) -> InteractFunction:
    """A step of a Kafka API."""
    surroundings = StepEnvironment(scope, {"s": "secret"}.__getitem__, LocalCounter())
    return compile_interact(Step(policy=policy, configuration=configuration), surroundings)


def session(policy: str, configuration: dict[str, Any], exchange: Exchange | None = None) -> Rules:
    """The rules of one client under one step."""
    rules = Rules()
    compiled(policy, configuration)(exchange or client(), rules)
    return rules
