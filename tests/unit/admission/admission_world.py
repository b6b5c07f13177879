"""Resources and an index of them for the tests of admission."""

from typing import Any

from penstock_operator.admission.neighbours import NeighbourIndex
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.parse import Parsed, parse

OLD, YOUNG = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def resource(kind: str, name: str, spec: KubeObject, created: str = YOUNG) -> KubeObject:
    metadata = {"name": name, "namespace": "shop", "creationTimestamp": created}
    return {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def api(name: str, *paths: str, created: str = YOUNG, **spec: Any) -> KubeObject:
    listeners = [{"http": {"path": path}} for path in paths or ("/orders",)]
    groups = [{"name": "default", "endpoints": [{"name": "one", "url": "http://backend"}]}]
    return resource(
        "ApiDefinition", name, {"listeners": listeners, "endpointGroups": groups, **spec}, created
    )


def kafka_api(name: str, created: str = YOUNG) -> KubeObject:
    endpoint = {"name": "one", "kafka": {"bootstrapServers": ["kafka:9092"]}}
    groups = [{"name": "default", "endpoints": [endpoint]}]
    spec = {"type": "Kafka", "listeners": [{"kafka": {}}], "endpointGroups": groups}
    return resource("ApiDefinition", name, spec, created)


def plan(name: str, api_name: str, **security: Any) -> KubeObject:
    return resource("Plan", name, {"apiRef": {"name": api_name}, "security": security or {"keyless": {}}})


def subscription(name: str, plan_name: str, secret: str = "key", created: str = YOUNG) -> KubeObject:
    spec = {
        "planRef": {"name": plan_name},
        "application": {"name": "app"},
        "apiKey": {"secretRef": {"name": secret, "key": "key"}},
    }
    return resource("Subscription", name, spec, created)


def gateway(name: str, *tags: str) -> KubeObject:
    return resource("GatewayDeployment", name, {"tags": list(tags)})


def secret(name: str, value: str) -> KubeObject:
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": value}}


def parsed(manifest: KubeObject) -> Parsed:
    outcome = parse(Manifest("", 0, 0, manifest))
    assert isinstance(outcome, Parsed), outcome
    return outcome


def index(*manifests: KubeObject) -> NeighbourIndex:
    found = NeighbourIndex()
    for manifest in manifests:
        found.upsert(parsed(manifest))
    return found
