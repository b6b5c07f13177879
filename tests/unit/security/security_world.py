"""What the security tests share: a clock that the test turns, plans, requests and tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Reply, Request
from gateway_runtime.expressions.compile import compile_condition
from gateway_runtime.security.authenticator import AdmissionFunction, compile_admission
from gateway_runtime.security.jwks import JwksSource, KeySets
from gateway_runtime.snapshot.types import Plan, Subscription, SubscriptionsSection

NOW = 1_800_000_000.0


class World:
    """The surroundings of plan security, as a worker has them, with a clock that the test turns."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self.time = NOW
        self.key_pepper = b""
        self.secrets = dict(secrets or {})
        self.key_sets = KeySets(clock=self.now)

    def condition(self, text: str) -> Callable[[Exchange], bool]:
        return compile_condition(text, self.secret)

    def secret(self, uri: str) -> str:
        return self.secrets[uri]

    def pepper(self) -> bytes:
        return self.key_pepper

    def jwks(self, url: str, refresh: float) -> JwksSource:
        return self.key_sets.source(url, refresh)

    def now(self) -> float:
        return self.time

    def admission(self, *plans: Plan, subscriptions: tuple[Subscription, ...] = ()) -> AdmissionFunction:
        return compile_admission(
            plans, SubscriptionsSection(api="shop/orders", subscriptions=subscriptions), self
        )


def exchange(*fields: tuple[str, str], query: str = "") -> Exchange:
    headers = Headers([], [])
    for name, value in fields:
        headers.add(name, value)
    request = Request("GET", "/orders", query, "HTTP/1.1", headers)
    return Exchange(request, ApiInfo("orders", "shop", "1", {}))


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def key_subscription(name: str, key: str, plan: str = "gold", **more: Any) -> Subscription:
    return Subscription(name=name, plan=plan, application=f"{name}-app", key_digests=(digest(key),), **more)


def refused(outcome: Reply | Awaitable[Reply | None] | None) -> str:
    """The error key of a reply that came at once."""
    assert isinstance(outcome, Reply)
    return outcome.key
