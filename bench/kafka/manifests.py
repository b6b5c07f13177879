"""The broker's address -> manifests of a Kafka API in front of it, without and with policies."""

from __future__ import annotations

from typing import Any

from e2e.components.ports import ADDRESS

USER = "bench"
KEY = "0123456789abcdef0123456789abcdef"
PREFIX = "tenant-"
"""What comes before the names of topics at the broker, with policies."""
_MANY = 10**12
"""A quota that is counted and never reached."""
Manifest = dict[str, Any]


def manifests(broker: str, port: int, *, with_policies: bool) -> list[Manifest]:
    """A gateway at a port and the next one (the broker's), an API and its plan."""
    listener = {
        "name": "kafka",
        "protocol": "Kafka",
        "address": ADDRESS,
        "routing": {"type": "Port", "range": f"{port}-{port + 1}", "host": ADDRESS},
    }
    endpoint = {"name": "broker", "kafka": {"bootstrapServers": [broker]}}
    api = {
        "type": "Kafka",
        "listeners": [{"kafka": {"port": port, "firstBroker": 1, "brokers": 1}}],
        "endpointGroups": [{"name": "main", "endpoints": [endpoint]}],
    } | ({"flows": [_flow()]} if with_policies else {})
    security: Manifest = {"apiKey": {}} if with_policies else {"keyless": {}}
    made = [
        _resource("GatewayDeployment", "edge", {"workers": 1, "listeners": [listener]}),
        _resource("ApiDefinition", "bench", api),
        _resource("Plan", "plan", {"apiRef": {"name": "bench"}, "security": security}),
    ]
    return made + (_subscription() if with_policies else [])


def _flow() -> Manifest:
    return {
        "name": "tenant",
        "interact": [
            {"kafkaTopicMapping": {"prefix": PREFIX}},
            {"kafkaGroupMapping": {"prefix": PREFIX}},
            {"kafkaAcl": {"rules": [_rule("topic", "bench-"), _rule("group", "perf-"), _rule("cluster")]}},
            {"kafkaQuota": {"ingress": _MANY, "egress": _MANY, "requests": 10**9}},
        ],
    }


def _rule(resource: str, prefix: str | None = None) -> Manifest:
    pattern: Manifest = {"pattern": {"type": "Prefix", "name": prefix}} if prefix else {}
    return {"resource": resource, "operations": ["All"], **pattern}


def _subscription() -> list[Manifest]:
    spec = {
        "planRef": {"name": "plan"},
        "application": {"name": USER},
        "apiKey": {"secretRef": {"name": USER, "key": "key"}},
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": USER}, "stringData": {"key": KEY}}
    return [_resource("Subscription", USER, spec), secret]


def _resource(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
