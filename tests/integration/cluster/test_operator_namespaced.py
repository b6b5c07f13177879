"""An operator of given namespaces, with rights in these alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gateway_pod import GatewayPod
from operator_process import OWN_NAMESPACE, ROOT, Operator, Shop, answers, wait_for

from e2e.components.control_plane import ControlPlane
from penstock_operator.cluster.secrets import SALT_SECRET

StartPod = Callable[..., GatewayPod]
RIGHTS = str(ROOT / "config/rbac/operator-namespaced.yaml")
CLUSTER_WIDE = ("clusterrole/penstock-operator", "clusterrolebinding/penstock-operator")


@pytest.fixture
def running(control_plane: ControlPlane, account: Path, namespace: str) -> Iterator[Operator]:
    """An operator of the test's namespace alone, without any right beyond it and its own."""
    control_plane.kubectl_output("delete", *CLUSTER_WIDE)
    for place in (namespace, OWN_NAMESPACE):
        control_plane.kubectl_output("apply", "--server-side", "-n", place, "-f", RIGHTS)
    # Operators of other tests leave theirs behind: this one is to make its own.
    control_plane.kubectl_output("delete", "secret", SALT_SECRET, "-n", OWN_NAMESPACE, "--ignore-not-found")
    operator = Operator(account, "--watch-namespace", namespace)
    wait_for(operator.is_leading)
    yield operator
    assert operator.stop() == 0
    control_plane.kubectl_output("delete", "-n", OWN_NAMESPACE, "-f", RIGHTS)


def test_an_operator_of_one_namespace_needs_rights_in_no_other(
    running: Operator, shop: Shop, other: Shop, shop_pod: StartPod
) -> None:
    shop.cluster.secret("backend", token=b"value")
    other.open("orders")
    shop.open("orders")
    shop.apply("GatewaySecret", "token", {"source": {"kubernetes": {"name": "backend", "key": "token"}}})
    shop.api("orders", "{#secrets.get('token')}")
    pod = shop_pod()
    wait_for(answers(pod, "/orders", (200, "value")))
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders") and shop.is_ready("Plan", "orders"))
    wait_for(lambda: shop.status("GatewaySecret", "token").get("version"))
    shop.api("orders", "v2")
    wait_for(answers(pod, "/orders", (200, "v2")))
    requests = "penstock_operator_api_requests_total"
    assert running.metric(requests, verb="POST", kind="Secret") == 2  # pepper and salt, once
    assert running.metric(requests, status="403") == 0
    assert not other.status("ApiDefinition", "orders")
    errors = [line for line in running.lines() if line["level"] not in ("INFO", "WARNING")]
    # An API server that has just got the kinds asks for patience, which kopf logs as an error.
    assert not [line for line in errors if "storage is (re)initializing" not in str(line["message"])]
