"""What users apply is what clients get: an operator and a pod that it feeds, by a real Kubernetes API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gateway_pod import GatewayPod, load
from operator_process import RBAC, Shop, answers, wait_for

pytestmark = pytest.mark.usefixtures("operator")
StartPod = Callable[..., GatewayPod]


def test_what_is_applied_serves_and_says_so(shop: Shop, shop_pod: StartPod) -> None:
    shop.open("orders")
    shop.api("orders", listeners=[{"http": {"path": "/orders"}}, {"http": {"hosts": ["api.example"]}}])
    pod = shop_pod()
    assert answers(pod, "/orders", (200, "v1"))()
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    status = shop.status("ApiDefinition", "orders")
    assert status["pods"] == "1/1"
    assert status["gateways"] == [f"{shop.namespace}/edge"]
    assert status["urls"] == [f"http://api.example:{shop.port}/"]


def test_edits_are_served_without_one_failed_request(shop: Shop, shop_pod: StartPod) -> None:
    shop.open("orders")
    pod = shop_pod(workers=2)
    with load(pod, "/orders") as found:
        for number in range(2, 7):
            shop.api("orders", f"v{number}")
            wait_for(lambda body=f"v{number}": (200, body) in found)
        wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
        count = len(found)
        wait_for(lambda: len(found) >= count + 100)
    assert {status for status, _ in found} == {200}
    assert {body for _, body in found[count:]} == {"v6"}


def test_a_deleted_api_is_served_no_more_and_its_config_maps_go(shop: Shop, shop_pod: StartPod) -> None:
    shop.open("orders", "invoices")
    pod = shop_pod()
    before = shop.names("configmaps")
    shop.delete("ApiDefinition", "orders")
    wait_for(answers(pod, "/orders", 404))
    wait_for(lambda: shop.names("configmaps") < before)
    assert answers(pod, "/invoices", (200, "v1"))()
    wait_for(lambda: shop.condition("Plan", "orders")[0] == "False")


def test_a_deleted_gateway_leaves_no_object_and_no_right_in_any_namespace(
    shop: Shop, other: Shop, shop_pod: StartPod
) -> None:
    other.cluster.secret("backend", token=b"value")
    other.apply("GatewaySecret", "token", {"source": {"kubernetes": {"name": "backend", "key": "token"}}})
    shop.gateway()
    other.plan("orders", {"keyless": {}})
    other.api("orders", "{#secrets.get('token')}")
    pod = shop_pod()
    wait_for(answers(pod, "/orders", (200, "value")))
    assert other.names(f"{RBAC}:roles")
    shop.delete("GatewayDeployment", "edge")
    kinds = (f"{RBAC}:roles", f"{RBAC}:rolebindings", "apps/v1:deployments", "serviceaccounts")
    wait_for(lambda: not any(shop.names(kind) - {"default"} for kind in kinds))
    wait_for(lambda: not other.names(f"{RBAC}:roles") and not other.names(f"{RBAC}:rolebindings"))
    wait_for(lambda: other.condition("ApiDefinition", "orders", "Programmed") == ("False", "NoGateway"))


def test_a_gateway_serves_the_namespaces_whose_labels_it_selects(
    shop: Shop, other: Shop, shop_pod: StartPod
) -> None:
    selector = {"matchLabels": {"penstock-team": shop.namespace}}
    shop.gateway(apis={"namespaces": {"from": "Selector", "selector": selector}})
    other.api("orders")
    other.plan("orders", {"keyless": {}})
    pod = shop_pod()
    label = ("label", "namespace", other.namespace)
    assert answers(pod, "/orders", 404)()
    shop.cluster.plane.kubectl_output(*label, f"penstock-team={shop.namespace}")
    wait_for(answers(pod, "/orders", (200, "v1")))
    shop.cluster.plane.kubectl_output(*label, "penstock-team-")
    wait_for(answers(pod, "/orders", 404))
