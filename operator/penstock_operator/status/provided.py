"""Turns what pods report of APIs into how far the GatewaySecrets of providers are resolved.

The operator asks no provider: a pod that serves an API has the API's secrets, and one that has not says which
is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from penstock_operator.graph.items import Item
from penstock_operator.graph.secret_names import Provided
from penstock_operator.graph.types import ApiNode
from penstock_operator.resources.gateway_secret import GatewaySecret
from penstock_operator.status.serving import Served, View, total
from penstock_operator.status.verdicts import READY, Verdict


class Use(NamedTuple):
    """An API of a gateway that reads a GatewaySecret, and where the provider has the value."""

    view: View
    api: str
    path: str


def is_provided(item: Item) -> bool:
    """Whether a resource is a GatewaySecret whose value a provider has."""
    resource = item.parsed.resource
    return isinstance(resource, GatewaySecret) and resource.spec.source.kubernetes is None


def uses_of_secrets(others: Iterable[Item], views: Iterable[View]) -> Mapping[str, list[Use]]:
    """The uses of the GatewaySecrets of providers, by `namespace/name`."""
    found: dict[str, list[Use]] = {item.key: [] for item in others if is_provided(item)}
    if not found:
        return found
    for view in views:
        for key, node in view.node.apis.items():
            if node.needs_providers:
                for one in _provided(node):
                    uses = found.get(f"{node.api.metadata.namespace}/{one.name}")
                    if uses is not None:
                        uses.append(Use(view, key, one.entry.path))
    return found


def resolved(uses: Iterable[Use]) -> Served:
    """How many pods have a secret, of those that need it; the error is one that tells of it."""
    return total(_told(use.view.api(use.api), use.path) for use in dict.fromkeys(uses))


def resolution(served: Served) -> Verdict:
    """Whether all pods have a secret."""
    if served.error:
        return Verdict(READY, False, "NotResolved", served.error)
    if served.live == 0:
        return Verdict(READY, False, "NotUsed", "No pod has asked its provider: no served API reads it.")
    if served.serving < served.live:
        return Verdict(READY, False, "Pending", f"Resolved by pods {served.serving}/{served.live}.")
    return Verdict(READY, True, "Resolved", f"Resolved by pods {served.serving}/{served.live}.")


def _provided(node: ApiNode) -> Iterator[Provided]:
    yield from node.provided
    for plan in node.plans:
        yield from plan.provided


def _told(served: Served, path: str) -> Served:
    return served if path in served.error else Served(served.serving, served.live)
