"""Reads the Secrets of API keys that the operator makes: which keys hold, which Secrets are to be written.

A Secret holds the key, and after a rotation the one before it, with a note of how long that one holds. It is
written by `publish.keys`; values never leave this package but as digests, or in memory on the way to there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from penstock_operator.resources.plan import Plan
from penstock_operator.resources.secret import SecretResource
from penstock_operator.resources.subscription import ROTATE_KEY, Subscription

KEY: Final = "apiKey"
PREVIOUS_KEY: Final = "previousApiKey"
PREVIOUS_UNTIL: Final = "penstock.dev/previous-key-until"
"""Annotation of the Secret: when the previous key ends, RFC 3339."""
ROTATED: Final = "penstock.dev/rotated-key"
"""Annotation of the Secret: the value of the Subscription's rotate annotation that was answered last."""

_SUFFIX = "-api-key"
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True, eq=False)
class KeyWork:
    """The Secret of a subscription that is to be written: with a new key, or without the previous one.

    `current` is the Secret that is there, `overlap` how many seconds its key holds beside the new one.
    """

    subscription: Subscription
    current: SecretResource | None
    makes_key: bool
    overlap: float


def key_secret_name(subscription: str) -> str:
    """The name of the Secret with the key that the operator makes for a subscription."""
    if len(subscription) + len(_SUFFIX) <= _LONGEST_NAME:
        return subscription + _SUFFIX
    # Names that are alike in their first part must not share a key.
    return f"{subscription[:200]}-{sha256(subscription.encode()).hexdigest()[:16]}{_SUFFIX}"


def key_work(
    subscription: Subscription, plan: Plan, current: SecretResource | None, moment: float
) -> KeyWork | None:
    """What is to be done about a generated key; None where all is as it should be."""
    overlap = plan.spec.security.api_key.rotation_overlap if plan.spec.security.api_key else 0.0
    if current is None:
        return KeyWork(subscription, None, True, overlap)
    if not current.is_managed:
        return None
    asked = subscription.metadata.annotations.get(ROTATE_KEY)
    if KEY not in current.values or (asked and asked != current.annotations.get(ROTATED)):
        return KeyWork(subscription, current, True, overlap)
    if PREVIOUS_KEY in current.values and previous_until(current) <= moment:
        return KeyWork(subscription, current, False, overlap)
    return None


def previous_until(secret: SecretResource) -> float:
    """When the previous key ends, in seconds since the epoch; long ago where that is not known."""
    try:
        moment = datetime.fromisoformat(secret.annotations[PREVIOUS_UNTIL])
    except (KeyError, ValueError):
        return 0.0
    return moment.timestamp() if moment.tzinfo else 0.0
