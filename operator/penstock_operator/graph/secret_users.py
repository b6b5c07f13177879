"""Changed Secrets and GatewaySecrets -> the APIs that read them, also by a plan or a subscription."""

from __future__ import annotations

from collections.abc import Iterator

from penstock_operator.graph.items import Item
from penstock_operator.graph.linking import Links
from penstock_operator.graph.secret_names import secret_of


def users_of_secrets(links: Links) -> set[str]:
    """The keys of the APIs that read one of the secrets that came or went."""
    changed = links.changed or ()
    secrets = {item.key for item in changed if item.kind == "Secret"}
    named = {item.key for item in changed if item.kind == "GatewaySecret"}
    named |= {key for key, item in links.gateway_secrets.items() if item.secret in secrets}
    return set(_users(links, secrets, named)) if secrets or named else set()


def _users(links: Links, secrets: set[str], named: set[str]) -> Iterator[str]:
    for key, api in links.apis.items():
        if api.secrets and _uses(api, secrets, named):
            yield key
    for plan in links.plans.values():
        if plan.secret in secrets or (plan.secrets and _uses(plan, secrets, named)):
            yield plan.target
    for subscription in links.subscriptions.values():
        if subscription.secret in secrets and subscription.target in links.plans:
            yield links.plans[subscription.target].target


def _uses(item: Item, secrets: set[str], named: set[str]) -> bool:
    """Whether an expression of a resource reads one of the secrets."""
    for use in item.secrets:
        if use.name.startswith("/"):
            if f"{item.namespace}/{secret_of(use.name)}" in secrets:
                return True
        elif f"{item.namespace}/{use.name}" in named:
            return True
    return False
