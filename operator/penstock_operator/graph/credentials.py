"""Checks what lets a subscription's clients in: its API key, or its client id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock_operator.graph.items import Item
from penstock_operator.graph.keys import KEY, PREVIOUS_KEY, KeyWork, key_work, previous_until
from penstock_operator.graph.linking import Links
from penstock_operator.graph.references import secret_value
from penstock_operator.graph.types import Finding
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.secret import SecretResource
from penstock_operator.resources.subscription import Subscription

SHORTEST_KEY = 16
"""Characters; a key that is found by guessing is no key."""

KEY_PATH = ("spec", "apiKey", "secretRef")
KEY_PENDING = "KeyPending"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a subscription brings to its plan, and what is wrong with it.

    `keys` are its API keys: the first, and after a rotation the one before it, which holds until
    `previous_until`. `work` is what the operator has to do about the key.
    """

    item: Item
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    finding: Finding | None = None
    work: KeyWork | None = None
    previous_until: float | None = None

    @property
    def digests(self) -> tuple[str, ...]:
        """The hexadecimal SHA-256 of each key."""
        return tuple(map(_digest, self.keys))

    @property
    def is_pending(self) -> bool:
        """Whether the key is still to be made, so that nobody can be let in by it."""
        return self.finding is not None and self.finding.reason == KEY_PENDING


def credential_of(item: Item, plan: Plan, links: Links) -> Credential:
    """The credential that a plan's security asks of a subscription."""
    subscription = item.parsed.resource
    assert isinstance(subscription, Subscription)
    if plan.spec.security.api_key is not None:
        return _given_key(item, subscription, links) or _generated_key(item, plan, links)
    if plan.spec.security.keyless is None:
        return Credential(item, finding=_client_id(subscription, plan))
    message = f"the plan {plan.metadata.name} lets everybody in: a subscription has no effect"
    return Credential(item, finding=Finding("NoEffect", message, ("spec", "planRef"), severity="Warning"))


def repeated_keys(credentials: Iterable[Credential]) -> dict[str, Finding]:
    """The findings of subscriptions that have the key of an older one, by key of the subscription."""
    first: dict[str, Item] = {}
    findings = {}
    for credential in sorted(credentials, key=lambda found: found.item.age):
        for digest in credential.digests:
            other = first.setdefault(digest, credential.item)
            if other is not credential.item:
                message = f"the older Subscription {other.key} has the same key"
                findings[credential.item.key] = Finding("DuplicateKey", message, KEY_PATH)
    return findings


def _given_key(item: Item, subscription: Subscription, links: Links) -> Credential | None:
    if subscription.spec.api_key is None:
        return None
    value = secret_value(links, item.secret, subscription.spec.api_key.secret_ref.key, KEY_PATH)
    if isinstance(value, Finding):
        return Credential(item, finding=value)
    finding = _key_finding(value)
    return Credential(item, () if finding else (value,), finding)


def _generated_key(item: Item, plan: Plan, links: Links) -> Credential:
    subscription = item.parsed.resource
    assert isinstance(subscription, Subscription)
    secret = _secret(item, links)
    if not links.generates_keys:
        return _left_behind(item, secret)
    work = key_work(subscription, plan, secret, links.moment)
    if secret is None or KEY not in secret.values:
        return Credential(item, finding=_no_key_yet(item, secret), work=work)
    value, finding = secret.values[KEY], _key_finding(secret.values[KEY])
    if finding:
        return Credential(item, finding=finding, work=work)
    previous, until = secret.values.get(PREVIOUS_KEY), previous_until(secret)
    if previous is None or not secret.is_managed or until <= links.moment or _key_finding(previous):
        return Credential(item, (value,), work=work)
    keys = tuple(dict.fromkeys((value, previous)))
    return Credential(item, keys, work=work, previous_until=until)


def _left_behind(item: Item, secret: SecretResource | None) -> Credential:
    """Without an operator only a key that one has made before can be used, such as in a copy of a cluster."""
    value = secret.values.get(KEY) if secret else None
    if value is None:
        message = "the plan asks for an API key: name the Secret that holds it in spec.apiKey.secretRef"
        return Credential(item, finding=Finding("MissingKey", message, ("spec",)))
    finding = _key_finding(value)
    return Credential(item, () if finding else (value,), finding)


def _no_key_yet(item: Item, secret: SecretResource | None) -> Finding:
    if secret is None or secret.is_managed:
        return Finding(KEY_PENDING, "the operator is making its API key", ("spec",), severity="Warning")
    name = item.secret.partition("/")[2]
    message = f"the Secret {name}, where its API key belongs, is not the operator's and has no key `{KEY}`"
    return Finding("MissingKey", message, ("spec",))


def _secret(item: Item, links: Links) -> SecretResource | None:
    found = links.secrets.get(item.secret)
    if found is None:
        return None
    secret = found.parsed.resource
    assert isinstance(secret, SecretResource)
    return secret


def _digest(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


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
    message = f"the plan knows clients by {_knows_by(plan)}: give its value in spec.application.clientId"
    return Finding("MissingClientId", message, ("spec", "application"))


def _knows_by(plan: Plan) -> str:
    security = plan.spec.security
    if security.mtls is not None:
        return "the SHA-256 or the common name of their certificate"
    token = security.jwt or security.oauth2
    return f"the claim `{token.client_id_claim if token else ''}`"
