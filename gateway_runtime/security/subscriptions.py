"""The subscriptions of an API, indexed for the look-up of one request."""

from __future__ import annotations

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import ApplicationInfo, Reply, SubscriptionInfo
from gateway_runtime.snapshot.types import Subscription, SubscriptionsSection

_REFUSALS = {"Paused": "SUBSCRIPTION_PAUSED", "Closed": "SUBSCRIPTION_CLOSED"}


class Grant:
    """One subscription: whom it stands for, and when it holds (seconds since the epoch)."""

    __slots__ = ("digest", "ends_at", "info", "refusal", "starts_at")

    def __init__(self, subscription: Subscription, digest: bytes) -> None:
        application = ApplicationInfo(subscription.application, subscription.client_id)
        self.info = SubscriptionInfo(subscription.name, subscription.plan, application)
        self.digest = digest
        self.refusal = "" if subscription.state == "Active" else _REFUSALS[subscription.state]
        self.starts_at: float = subscription.starts_at or 0.0
        self.ends_at: float = float("inf") if subscription.ends_at is None else subscription.ends_at

    def refuse(self, now: float) -> Reply | None:
        """Why the subscription lets nobody in at this time; None where it does."""
        if self.refusal:
            return error_reply(self.refusal)
        if now >= self.ends_at:
            return error_reply("SUBSCRIPTION_EXPIRED")
        if now < self.starts_at:
            return error_reply("SUBSCRIPTION_NOT_STARTED")
        return None


def grants_by_key(section: SubscriptionsSection | None, plan: str) -> dict[bytes, Grant]:
    """The grants of a plan by the digests of their API keys."""
    found: dict[bytes, Grant] = {}
    for subscription in _of_plan(section, plan):
        for text in subscription.key_digests:
            digest = bytes.fromhex(text)
            found[digest] = Grant(subscription, digest)
    return found


def grants_by_client(section: SubscriptionsSection | None, plan: str) -> dict[str, list[Grant]]:
    """The grants of a plan by client id: a client may renew its subscription by a second one."""
    found: dict[str, list[Grant]] = {}
    for subscription in _of_plan(section, plan):
        if subscription.client_id:
            found.setdefault(subscription.client_id, []).append(Grant(subscription, b""))
    return found


def _of_plan(section: SubscriptionsSection | None, plan: str) -> list[Subscription]:
    if section is None:
        return []
    return [subscription for subscription in section.subscriptions if subscription.plan == plan]
