"""Turns the graph into one snapshot for each gateway.

The entries of an API are made once for its node, and shared by all gateways that serve it: a node that is
the same object as in the build before gives the same entries, digests included.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_runtime.snapshot.codec import api_entry, subscriptions_entry
from gateway_runtime.snapshot.types import ApiEntry, Snapshot, SubscriptionsEntry
from penstock_operator.graph.types import ApiNode, GatewayNode, Graph
from penstock_operator.publish.apis import api_section
from penstock_operator.publish.gateways import gateway_section
from penstock_operator.publish.plans import subscriptions_section


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """The entries of an API's node; `subscriptions` is None where it has none."""

    node: ApiNode
    api: ApiEntry
    subscriptions: SubscriptionsEntry | None


@dataclass(slots=True, eq=False)
class PublishMemo:
    """What the last build published, by key of the API; holds only what that build used."""

    apis: dict[str, Published] = field(default_factory=dict)


def build_snapshots(graph: Graph, memo: PublishMemo | None = None) -> dict[str, Snapshot]:
    """The snapshots by `namespace/name` of their gateways."""
    memo = PublishMemo() if memo is None else memo
    known = memo.apis
    memo.apis = {key: _published(node, known.get(key)) for key, node in graph.apis.items()}
    return {key: _snapshot(gateway, memo.apis) for key, gateway in graph.gateways.items()}


def _published(node: ApiNode, before: Published | None) -> Published:
    if before is None:
        return Published(node, api_entry(api_section(node)), _subscriptions(node))
    if before.node is node:
        return before
    api, subscriptions = api_entry(api_section(node)), _subscriptions(node)
    return Published(
        node,
        before.api if before.api.digest == api.digest else api,
        before.subscriptions if _same(before.subscriptions, subscriptions) else subscriptions,
    )


def _subscriptions(node: ApiNode) -> SubscriptionsEntry | None:
    section = subscriptions_section(node)
    return subscriptions_entry(section) if section.subscriptions else None


def _same(one: SubscriptionsEntry | None, other: SubscriptionsEntry | None) -> bool:
    return one is not None and other is not None and one.digest == other.digest


def _snapshot(gateway: GatewayNode, published: dict[str, Published]) -> Snapshot:
    served = {key: published[key] for key in gateway.apis}
    return Snapshot(
        gateway=gateway_section(gateway),
        apis={key: one.api for key, one in served.items()},
        subscriptions={
            key: one.subscriptions for key, one in served.items() if one.subscriptions is not None
        },
    )
