"""The replies that refuse a request, and which of several tells the client most."""

from __future__ import annotations

from typing import Final

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Reply

_WEIGHTS: Final = {
    "JWT_MISSING_TOKEN": 0,
    "API_KEY_MISSING": 1,
    "API_KEY_INVALID": 2,
    "JWT_INVALID_TOKEN": 2,
    "JWT_KEYS_UNAVAILABLE": 3,
    "SUBSCRIPTION_MISSING": 4,
}
_HEAVIEST: Final = 5  # a subscription that has ended, is paused or the like


def weightier(one: Reply | None, other: Reply) -> Reply:
    """The reply that tells the client more: of a subscription, then of a bad credential, then of none."""
    return other if one is None or _weight(other) > _weight(one) else one


def missing_reply(key: str) -> Reply:
    """The reply to a request without a credential, with the challenge of RFC 6750 section 3 for tokens."""
    reply = error_reply(key)
    if key == "JWT_MISSING_TOKEN":
        reply.headers = [("www-authenticate", "Bearer")]
    return reply


def _weight(reply: Reply) -> int:
    return _WEIGHTS.get(reply.key, _HEAVIEST)
