"""The subscriptions of one plan by client id: who holds the client id of a token or a certificate."""

from __future__ import annotations

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Reply, SubscriptionInfo
from gateway_runtime.security.subscriptions import Grant


class Clients:
    """The clients of one plan; `is_required` says whether one without a subscription is refused."""

    def __init__(self, grants: dict[str, list[Grant]], is_required: bool) -> None:
        self._grants = grants
        self.is_required = is_required

    def find(self, client_id: object, now: float) -> Grant | Reply | None:
        """The first subscription that holds, else why the first does not; None where none is needed."""
        grants = self._grants.get(client_id) if isinstance(client_id, str) else None
        if not grants:
            return error_reply("SUBSCRIPTION_MISSING") if self.is_required else None
        for grant in grants:
            if grant.refuse(now) is None:
                return grant
        return grants[0].refuse(now)

    def knows(self, client_id: str) -> bool:
        """Whether a subscription, of whatever state, has this client id."""
        return client_id in self._grants

    def still_holds(self, subscription: SubscriptionInfo | None, now: float) -> str:
        """The error key of why one with this subscription, or none, is not let in now; empty where it is."""
        if subscription is None:
            return "SUBSCRIPTION_MISSING" if self.is_required else ""
        grants = self._grants.get(subscription.application.client_id, [])
        grant = next((grant for grant in grants if grant.info.name == subscription.name), None)
        if grant is None:
            return "SUBSCRIPTION_MISSING"
        refusal = grant.refuse(now)
        return "" if refusal is None else refusal.key
