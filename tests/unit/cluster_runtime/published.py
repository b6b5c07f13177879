"""What the tests of a pod's edge share: APIs with secrets, their ConfigMaps, and values to set."""

from __future__ import annotations

from typing import Any

from gateway_runtime.cluster.objects import DataObject, Metadata
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.snapshot.codec import api_entry
from gateway_runtime.snapshot.parts import DATA_KEY, Part
from gateway_runtime.snapshot.types import (
    ApiSection,
    Endpoint,
    EndpointGroup,
    GatewaySection,
    HttpRoute,
    KeylessSecurity,
    Plan,
    SecretRef,
    Snapshot,
    SubscriptionsEntry,
)

GATEWAY = "edge"


def section(name: str, version: str = "1", *uris: str, **fields: Any) -> ApiSection:
    """An API that names the secrets of these URIs."""
    given: dict[str, Any] = {
        "routes": (HttpRoute(path=f"/{name}"),),
        "endpoint_groups": (
            EndpointGroup(name="g", endpoints=(Endpoint(name="e", url="http://b.example"),)),
        ),
        "plans": (Plan(name="open", security=KeylessSecurity()),),
        "secrets": {f"s{number}": SecretRef(uri=uri) for number, uri in enumerate(uris)},
    }
    return ApiSection(name=name, namespace="shop", version=version, **(given | fields))


def snapshot(
    *sections: ApiSection,
    gateway: GatewaySection | None = None,
    subscriptions: dict[str, SubscriptionsEntry] | None = None,
) -> Snapshot:
    """The snapshot of these APIs."""
    apis = {f"shop/{one.name}": api_entry(one) for one in sections}
    return Snapshot(gateway=gateway or GatewaySection(), apis=apis, subscriptions=subscriptions or {})


def config_map(part: Part, version: int, name: str = "") -> DataObject:
    """The ConfigMap of a part."""
    metadata = Metadata(
        name=name or part.name(GATEWAY),
        resource_version=str(version),
        labels=part.labels(GATEWAY),
        annotations=part.annotations(),
    )
    return DataObject(metadata=metadata, data={DATA_KEY: part.data})


class Values(dict[str, str]):
    """Secrets as the gate sees them."""

    def value(self, uri: str) -> SecretText | None:
        return SecretText(self[uri]) if uri in self else None

    unread = False

    def is_unread(self, uri: str) -> bool:
        return self.unread

    def problem(self, uri: str) -> str:
        return "" if uri in self else f"{uri} is missing"
