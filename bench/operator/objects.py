"""The number of an API -> its manifests: two plans, ten subscriptions, and the Secret with their keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

NAMESPACE = "shop"
"""Of all APIs."""
GATEWAY_NAMESPACE = "gateways"
GATEWAY = "edge"
SUBSCRIPTIONS = 10
"""Of each API: half of them with API keys, half with tokens."""
OBJECTS = 1 + 2 + SUBSCRIPTIONS + 1
"""Of each API, its Secret among them."""
MARKER = "X-Version"
"""The response header that an edit changes."""
FIRST = "first"
"""Its value before any edit."""
PLURALS = {
    "ApiDefinition": "apidefinitions",
    "Plan": "plans",
    "Subscription": "subscriptions",
    "GatewayDeployment": "gatewaydeployments",
}
_VERSION = "penstock.dev/v1alpha1"
_JWT_SECRET = "jwt"
_BODY = "{#subscription.application.name}"


def api_name(index: int) -> str:
    """The name of an API, which is its path too."""
    return f"api-{index:05d}"


def api_key(index: int, number: int = 0) -> str:
    """The key of a subscription of an API."""
    return f"key-of-{api_name(index)}-{number}-0123456789abcdef"


def path_of(manifest: Json) -> str:
    """Where an object is in the Kubernetes API."""
    metadata = manifest["metadata"]
    if manifest["kind"] == "Secret":
        return f"/api/v1/namespaces/{metadata['namespace']}/secrets/{metadata['name']}"
    plural = PLURALS[manifest["kind"]]
    return f"/apis/{_VERSION}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"


def gateway(port: int) -> Json:
    """The gateway that serves all APIs."""
    spec = {
        "replicas": 1,
        "listeners": [{"name": "http", "protocol": "HTTP", "port": port, "address": "127.0.0.1"}],
        "accessLog": {"enabled": False},
    }
    return _resource("GatewayDeployment", GATEWAY, spec, GATEWAY_NAMESPACE)


def jwt_secret() -> Json:
    """The key of all tokens."""
    return _secret(_JWT_SECRET, {"key": "0123456789abcdef" * 4})


def api_objects(index: int) -> list[Json]:
    """All objects of an API, in the order in which people write them."""
    name = api_name(index)
    keys = {f"key-{number}": api_key(index, number) for number in range(SUBSCRIPTIONS // 2)}
    return [_secret(name, keys), _api(name), *_plans(name), *_subscriptions(name)]


def edit(value: str) -> Json:
    """The merge patch that gives an API another response header."""
    return {"spec": {"flows": _flows(value)}}


def _api(name: str) -> Json:
    endpoint = {"name": "backend", "url": f"http://{name}.{NAMESPACE}.svc:8080"}
    spec = {
        "listeners": [{"http": {"path": f"/{name}"}}],
        "endpointGroups": [{"name": "default", "endpoints": [endpoint]}],
        "flows": _flows(FIRST),
        "accessLog": {"enabled": False},
    }
    return _resource("ApiDefinition", name, spec)


def _flows(value: str) -> list[Json]:
    request = [{"transformHeaders": {"set": {"X-Consumer": "{#subscription.application.name}"}}}]
    response = [{"transformHeaders": {"set": {MARKER: value}}}]
    return [{"request": [*request, {"mock": {"body": _BODY}}], "response": response}]


def _plans(name: str) -> Iterator[Json]:
    limit = {"request": [{"rateLimit": {"limit": 1_000_000, "period": "1s"}}]}
    token = {"algorithms": ["HS256"], "key": {"secretRef": {"name": _JWT_SECRET, "key": "key"}}}
    securities = {"keys": {"apiKey": {}}, "tokens": {"jwt": token}}
    for plan, security in securities.items():
        spec = {"apiRef": {"name": name}, "security": security, "flows": [limit]}
        yield _resource("Plan", f"{name}-{plan}", spec)


def _subscriptions(name: str) -> Iterator[Json]:
    for number in range(SUBSCRIPTIONS):
        application = {"name": f"app-{number}", "clientId": f"client-{number}"}
        spec: Json = {"planRef": {"name": f"{name}-tokens"}, "application": application}
        if number < SUBSCRIPTIONS // 2:
            spec["planRef"] = {"name": f"{name}-keys"}
            spec["apiKey"] = {"secretRef": {"name": name, "key": f"key-{number}"}}
        yield _resource("Subscription", f"{name}-{number}", spec)


def _secret(name: str, values: dict[str, str]) -> Json:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


def _resource(kind: str, name: str, spec: Json, namespace: str = NAMESPACE) -> Json:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": _VERSION, "kind": kind, "metadata": metadata, "spec": spec}
