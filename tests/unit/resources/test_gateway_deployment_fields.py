"""What the fields of a GatewayDeployment must be to each other."""

from typing import Any

import pytest
from pydantic import ValidationError

from penstock_operator.resources.gateway_deployment import GatewayDeploymentSpec

SCALED = {"maxReplicas": 4}
TOKEN = {"token": {"secretRef": {"name": "a", "key": "b"}}}
BOTH_TOKENS = {"jwt": {"role": "a", "audience": "b", "tokenRef": {"name": "a", "key": "b"}}}


def with_provider(name: str, **fields: Any) -> dict[str, Any]:
    return {"secretProviders": [{"name": name, **fields}]}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"replicas": 2, "autoscaling": SCALED}, "only one of `replicas` and `autoscaling`"),
        ({"autoscaling": {"minReplicas": 5, "maxReplicas": 4}}, "minReplicas must be at most maxReplicas"),
        (
            {"autoscaling": SCALED, "podTemplate": {"resources": {"requests": {"memory": "1Gi"}}}},
            "autoscaling needs podTemplate.resources.requests.cpu",
        ),
        ({"apis": {"namespaces": {"from": "Selector"}}}, "`selector` goes with from: Selector"),
        ({"apis": {"namespaces": {"selector": {}}}}, "`selector` goes with from: Selector"),
        ({"service": {"loadBalancerClass": "a/b"}}, "need the type LoadBalancer"),
        (
            {"service": {"type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"]}},
            "need the type LoadBalancer",
        ),
        ({"service": {"externalTrafficPolicy": "Local"}}, "need the type NodePort or LoadBalancer"),
        ({"service": {"nodePorts": {"http": 30080}}}, "need the type NodePort or LoadBalancer"),
        (
            {"service": {"type": "NodePort", "nodePorts": {"https": 30080}}},
            "the names in service.nodePorts are those of listeners",
        ),
        (with_provider("kubernetes", env={}), "the name `kubernetes` is that of the Secrets"),
        (with_provider("vault", env={}), "`vault`, `env` and `file` are for providers of that type"),
        (with_provider("file", env={}), "`vault`, `env` and `file` are for providers of that type"),
        (
            with_provider("a", env={}, file={"folder": "/a"}),
            "exactly one of `vault`, `env`, `file` is needed",
        ),
        (with_provider("a"), "exactly one of `vault`, `env`, `file` is needed"),
        (with_provider("a", file={"folder": "relative"}), "pattern"),
        (with_provider("a", env={}, allow=[{"namespaces": ["shop"], "paths": ["kv/../a"]}]), "pattern"),
        (with_provider("a", env={}, allow=[{"namespaces": ["shop"], "paths": ["kv/a*"]}]), "pattern"),
        (with_provider("a", env={}, allow=[{"namespaces": ["shop*"], "paths": ["kv/a"]}]), "pattern"),
        (with_provider("a", env={}, allow=[{"namespaces": [], "paths": ["kv/a"]}]), "at least 1 item"),
        (with_provider("a", vault={"address": "https://u:p@vault", "auth": TOKEN}), "pattern"),
        (with_provider("a", vault={"address": "https://v", "auth": {}}), "is needed, found none"),
        (with_provider("a", vault={"address": "https://v", "auth": BOTH_TOKENS}), "only one of `tokenRef`"),
        (
            with_provider("a", vault={"address": "https://v", "auth": TOKEN, "refreshInterval": "0s"}),
            "greater than 0",
        ),
        ({"networkPolicy": {"adminFrom": [{}]}}, "`namespaceSelector` or `podSelector` is needed"),
        ({"podTemplate": {"resources": {"limits": {"cpu": "two"}}}}, "expected a quantity"),
        ({"podTemplate": {"resources": {"limits": {"cpu": True}}}}, "string"),
        ({"podTemplate": {"labels": {"a": "b c"}}}, "pattern"),
        ({"disruptionBudget": {"maxUnavailable": "half"}}, "expected a number such as 1, or a percentage"),
    ],
)
def test_fields_that_do_not_fit_are_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GatewayDeploymentSpec.model_validate(spec)


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 0},
        {"autoscaling": SCALED, "podTemplate": {"resources": {"requests": {}, "limits": {"cpu": 2}}}},
        {"apis": {"namespaces": {"from": "Selector", "selector": {}}}},
        {"service": {"type": "LoadBalancer", "nodePorts": {"http": 30080}, "externalTrafficPolicy": "Local"}},
        {"disruptionBudget": {"maxUnavailable": "25%"}},
        {"networkPolicy": {"adminFrom": [{"podSelector": {}}]}},
        with_provider("vault", vault={"address": "https://v/base", "auth": TOKEN, "maxAge": "1d"}),
        with_provider("eu", env={}, allow=[{"namespaces": ["*"], "paths": ["*", "kv/a.b/*", "A"]}]),
    ],
)
def test_fields_that_fit_are_taken(spec: dict[str, Any]) -> None:
    assert GatewayDeploymentSpec.model_validate(spec).model_fields_set
