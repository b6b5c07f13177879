"""The API server stores statuses as they were made: no field is refused, none is dropped."""

import json
from typing import Any

import msgspec
import pytest

from e2e.components.control_plane import ControlPlane
from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.status import (
    ApiStatus,
    GatewaySecretStatus,
    GatewayStatus,
    KeyLocation,
    KeyStatus,
    PlanStatus,
    Status,
    StatusCondition,
    SubscriptionStatus,
)

TIME = "2026-11-24T12:00:00Z"
KEY = KeyStatus(secret_ref=KeyLocation(name="mobile-api-key", key="apiKey"), previous_until=TIME)
CONDITIONS = tuple(
    StatusCondition(
        type=name,
        status=holds,
        reason=f"Because{name}",
        message="It is so.",
        last_transition_time=TIME,
        observed_generation=1,
    )
    for name, holds in (("Programmed", "True"), ("Ready", "False"))
)
SPECS: dict[str, dict[str, Any]] = {
    "GatewayDeployment": {},
    "ApiDefinition": {
        "listeners": [{"http": {}}],
        "endpointGroups": [{"name": "a", "endpoints": [{"name": "a", "url": "http://a"}]}],
    },
    "Plan": {"apiRef": {"name": "a"}, "security": {"apiKey": {}}},
    "Subscription": {"planRef": {"name": "a"}, "application": {"name": "mobile"}},
    "GatewaySecret": {"source": {"kubernetes": {"name": "a", "key": "b"}}},
}
COMMON: dict[str, Any] = {"observed_generation": 1, "conditions": CONDITIONS}
STATUSES: dict[str, Status] = {
    "GatewayDeployment": GatewayStatus(**COMMON, pods="1/2", apis=0, addresses=("203.0.113.7",)),
    "ApiDefinition": ApiStatus(**COMMON, urls=("http://a.example/x",), gateways=("shop/edge",), pods="1/2"),
    "Plan": PlanStatus(**COMMON, api="a", subscriptions=0),
    "Subscription": SubscriptionStatus(
        **COMMON, plan="a", api="orders", application="mobile", approval="Approved", api_key=KEY
    ),
    "GatewaySecret": GatewaySecretStatus(**COMMON, version="0011223344556677", since=TIME),
}
SHOWN = {
    "GatewayDeployment": ("1/2", "0", "203.0.113.7", "True", "False"),
    "ApiDefinition": ("Started", "http://a.example/x", "1/2", "True", "False"),
    "Plan": ("a", "Auto", "0", "True", "False"),
    "Subscription": ("a", "mobile", "orders", "Approved", "False"),
    "GatewaySecret": ("0011223344556677", "False"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_status_is_stored_whole_and_shown_by_kubectl(
    control_plane: ControlPlane, namespace: str, kind: str
) -> None:
    write(control_plane, namespace, kind)
    found = json.loads(get(control_plane, namespace, kind, "-o", "json"))["status"]
    assert msgspec.convert(found, type(STATUSES[kind])) == STATUSES[kind]
    shown = get(control_plane, namespace, kind).splitlines()[1].split()
    assert [cell for cell in shown if cell in SHOWN[kind]] == list(SHOWN[kind])
    assert "BecauseReady" in get(control_plane, namespace, kind, "-o", "wide")


def write(control_plane: ControlPlane, namespace: str, kind: str) -> None:
    made = {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": {"name": "one"}}
    apply = ("apply", "--server-side", "--namespace", namespace, "-f", "-")
    control_plane.kubectl_output(*apply, input=json.dumps({**made, "spec": SPECS[kind]}))
    status = msgspec.to_builtins(STATUSES[kind])
    control_plane.kubectl_output(*apply, "--subresource=status", input=json.dumps({**made, "status": status}))


def get(control_plane: ControlPlane, namespace: str, kind: str, *options: str) -> str:
    return control_plane.kubectl_output("get", kind, "one", "--namespace", namespace, *options)
