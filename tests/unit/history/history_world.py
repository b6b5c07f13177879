"""APIs, plans and revisions for the tests of the history."""

from datetime import UTC, datetime
from typing import Any

from penstock_operator.history.revisions import to_write
from penstock_operator.resources.kube import KubeObject

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def api(name: str = "orders", uid: str = "u1", **spec: Any) -> KubeObject:
    endpoints = [{"name": "primary", "url": "http://orders:8080"}]
    whole = {
        "listeners": [{"http": {"path": "/orders"}}],
        "endpointGroups": [{"name": "default", "endpoints": endpoints}],
        **spec,
    }
    metadata = {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": "7"}
    return _resource("ApiDefinition", metadata, whole)


def plan(name: str, api_name: str = "orders", **spec: Any) -> KubeObject:
    whole = {"apiRef": {"name": api_name}, "security": {"keyless": {}}, **spec}
    return _resource("Plan", {"name": name, "namespace": "shop", "uid": f"uid-{name}"}, whole)


def history_of(*versions: tuple[KubeObject, list[KubeObject]]) -> list[KubeObject]:
    """The revisions that an operator has after it accepted these versions one after the other."""
    kept: dict[str, KubeObject] = {}
    for resource, plans in versions:
        write = to_write(resource, plans, kept.values(), NOW)
        if write is not None:
            kept[write.revision["metadata"]["name"]] = write.revision
    return list(kept.values())


def _resource(kind: str, metadata: KubeObject, spec: KubeObject) -> KubeObject:
    return {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
