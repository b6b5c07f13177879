"""Snapshots of small APIs, and their parts."""

from __future__ import annotations

from gateway_runtime.snapshot.codec import api_entry, subscriptions_entry
from gateway_runtime.snapshot.types import (
    ApiSection,
    Endpoint,
    EndpointGroup,
    HttpRoute,
    KeylessSecurity,
    Plan,
    Snapshot,
    Subscription,
    SubscriptionsSection,
)


def section(name: str, version: str = "1", **fields: object) -> ApiSection:
    given = {
        "routes": (HttpRoute(path=f"/{name}"),),
        "endpoint_groups": (
            EndpointGroup(name="g", endpoints=(Endpoint(name="e", url="http://b.example"),)),
        ),
        "plans": (Plan(name="open", security=KeylessSecurity()),),
    }
    return ApiSection(name=name, namespace="shop", version=version, **(given | fields))  # type: ignore[arg-type]


def subscriptions(name: str, *applications: str) -> SubscriptionsSection:
    found = tuple(Subscription(name=one, plan="open", application=one) for one in applications)
    return SubscriptionsSection(api=f"shop/{name}", subscriptions=found)


def snapshot(*sections: ApiSection) -> Snapshot:
    """A snapshot of APIs; each but the first has two subscriptions."""
    apis = {f"shop/{one.name}": api_entry(one) for one in sections}
    subscribed = {
        f"shop/{one.name}": subscriptions_entry(subscriptions(one.name, "mobile", "web"))
        for one in sections[1:]
    }
    return Snapshot(apis=apis, subscriptions=subscribed)
