"""Checks what lets a subscription's clients in: its API key, or its client id."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from penstock_operator.graph.items import Item
from penstock_operator.graph.linking import Links
from penstock_operator.graph.references import secret_value
from penstock_operator.graph.types import Finding
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.subscription import Subscription

SHORTEST_KEY = 16
"""Characters; a key that is found by guessing is no key."""

KEY_PATH = ("spec", "apiKey", "secretRef")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a subscription brings to its plan, and what is wrong with it."""

    item: Item
    digest: str | None = None
    finding: Finding | None = None


def credential_of(item: Item, plan: Plan, links: Links) -> Credential:
    """The credential that a plan's security asks of a subscription."""
    subscription = item.parsed.resource
    assert isinstance(subscription, Subscription)
    if plan.spec.security.api_key is not None:
        return _api_key(item, subscription, links)
    if plan.spec.security.jwt is not None:
        return Credential(item, finding=_client_id(subscription, plan))
    message = f"the plan {plan.metadata.name} lets everybody in: a subscription has no effect"
    return Credential(item, finding=Finding("NoEffect", message, ("spec", "planRef"), severity="Warning"))


def repeated_keys(credentials: list[Credential]) -> dict[str, Finding]:
    """Findings, by key of the subscription, where an older one of the same API has the same API key."""
    first: dict[str, Item] = {}
    findings = {}
    for credential in sorted(credentials, key=lambda found: found.item.age):
        if credential.digest is None:
            continue
        other = first.setdefault(credential.digest, credential.item)
        if other is not credential.item:
            message = f"the older Subscription {other.key} has the same key"
            findings[credential.item.key] = Finding("DuplicateKey", message, KEY_PATH)
    return findings


def _api_key(item: Item, subscription: Subscription, links: Links) -> Credential:
    if subscription.spec.api_key is None:
        message = "the plan asks for an API key: name the Secret that holds it in spec.apiKey.secretRef"
        return Credential(item, finding=Finding("MissingKey", message, ("spec",)))
    value = secret_value(links, item.secret, subscription.spec.api_key.secret_ref.key, KEY_PATH)
    if isinstance(value, Finding):
        return Credential(item, finding=value)
    finding = _key_finding(value)
    return Credential(item, None if finding else hashlib.sha256(value).hexdigest(), finding)


def _key_finding(value: bytes) -> Finding | None:
    if len(value) < SHORTEST_KEY:
        message = f"the key has {len(value)} characters, {SHORTEST_KEY} or more are needed"
        return Finding("WeakKey", message, KEY_PATH)
    if not all(0x21 <= byte <= 0x7E for byte in value):
        message = "the key holds characters that a header cannot: spaces, line ends or no ASCII"
        return Finding("InvalidKey", message, KEY_PATH)
    return None


def _client_id(subscription: Subscription, plan: Plan) -> Finding | None:
    if subscription.spec.application.client_id:
        return None
    claim = plan.spec.security.jwt.client_id_claim if plan.spec.security.jwt else ""
    message = f"the plan knows clients by the claim `{claim}`: give its value in spec.application.clientId"
    return Finding("MissingClientId", message, ("spec", "application"))
