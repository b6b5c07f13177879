"""Turns the graph into one snapshot for each gateway.

The entries of an API are made once for its node, and shared by all gateways that serve it: a node that is
the same object as in the build before gives the same entries, digests included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway_runtime.snapshot.codec import api_entry, subscriptions_entry
from gateway_runtime.snapshot.types import ApiEntry, Snapshot, SubscriptionsEntry
from penstock_operator.graph.types import ApiNode, GatewayNode, Graph
from penstock_operator.publish.apis import api_section
from penstock_operator.publish.gateways import gateway_section
from penstock_operator.publish.plans import subscriptions_section


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """The entries of an API's node: those of its subscriptions by the pepper (empty: none) of their keys.

    They are made where a gateway needs them, and kept while it does; None: the API has no subscriptions.
    """

    node: ApiNode
    api: ApiEntry
    subscriptions: dict[bytes, SubscriptionsEntry | None] = field(default_factory=dict)
    before: dict[bytes, SubscriptionsEntry | None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class PublishMemo:
    """What the last build published, by key of the API; holds only what that build used.

    `variants` by gateway and API: of nodes that are a gateway's own, as its providers give their secrets.
    """

    apis: dict[str, Published] = field(default_factory=dict)
    variants: dict[tuple[str, str], Published] = field(default_factory=dict)
    peppers: frozenset[bytes] = frozenset()


def build_snapshots(
    graph: Graph, memo: PublishMemo | None = None, peppers: Mapping[str, bytes] | None = None
) -> dict[str, Snapshot]:
    """The snapshots by `namespace/name` of their gateways.

    With `peppers` (by gateway) the digests of API keys are keyed, and a gateway that has none yet gets no
    snapshot: plain digests would tell of keys. None: no gateway has one.
    """
    memo = PublishMemo() if memo is None else memo
    _forget(memo, frozenset(peppers.values() if peppers is not None else (b"",)))
    gateways = graph.gateways
    if peppers is not None:
        gateways = {key: one for key, one in gateways.items() if peppers.get(key)}
    served = _publish(gateways, graph.apis, memo)
    return {
        key: _snapshot(gateway, served[key], peppers[key] if peppers is not None else b"")
        for key, gateway in gateways.items()
    }


def _publish(
    gateways: Mapping[str, GatewayNode], general: Mapping[str, ApiNode], memo: PublishMemo
) -> dict[str, dict[str, Published]]:
    """What each gateway serves: of most APIs what all of them do."""
    before = memo.apis
    memo.apis = {
        key: one if (one := before.get(key)) is not None and one.node is node else _published(node, one)
        for key, node in general.items()
    }
    known, memo.variants = memo.variants, {}
    return {key: _served_by(gateway, memo, known) for key, gateway in gateways.items()}


def _served_by(
    gateway: GatewayNode, memo: PublishMemo, known: Mapping[tuple[str, str], Published]
) -> dict[str, Published]:
    served, apis = {}, memo.apis
    for key, node in gateway.apis.items():
        one = apis[key]
        if one.node is not node:
            place = (gateway.gateway.key, key)
            one = memo.variants[place] = _published(node, known.get(place))
        served[key] = one
    return served


def _forget(memo: PublishMemo, peppers: frozenset[bytes]) -> None:
    """Another set of peppers is rare: then all that is keyed is made anew."""
    if peppers != memo.peppers:
        memo.apis, memo.variants, memo.peppers = {}, {}, peppers


def _published(node: ApiNode, before: Published | None) -> Published:
    if before is not None and before.node is node:
        return before
    if before is None:
        return Published(node, api_entry(api_section(node)))
    api = api_entry(api_section(node))
    return Published(
        node,
        before.api if before.api.digest == api.digest else api,
        before={**before.before, **before.subscriptions},
    )


def _subscriptions(published: Published, pepper: bytes) -> SubscriptionsEntry | None:
    known = published.subscriptions
    if pepper not in known:
        section = subscriptions_section(published.node, pepper)
        entry = subscriptions_entry(section) if section.subscriptions else None
        before = published.before.pop(pepper, None)
        known[pepper] = before if before and entry and before.digest == entry.digest else entry
    return known[pepper]


def _snapshot(gateway: GatewayNode, served: Mapping[str, Published], pepper: bytes) -> Snapshot:
    entries = {
        key: one.subscriptions[pepper] if pepper in one.subscriptions else _subscriptions(one, pepper)
        for key, one in served.items()
    }
    return Snapshot(
        gateway=gateway_section(gateway, bool(pepper)),
        apis={key: one.api for key, one in served.items()},
        subscriptions={key: entry for key, entry in entries.items() if entry is not None},
    )
