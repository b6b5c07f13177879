"""An API in front of a Service: what users apply, what its status says, and where its traffic goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gateway_pod import GatewayPod
from operator_process import RBAC, Shop, answers, wait_for
from service_backends import Backend, write_slice

pytestmark = pytest.mark.usefixtures("operator")
StartPod = Callable[..., GatewayPod]


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend("one")
    yield made
    made.stop()


def service(shop: Shop, **port: Any) -> None:
    """Apply the Service `orders` with a port; its slices are written by hand."""
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "orders"}}
    shop.cluster.apply("services/orders", {**manifest, "spec": {"ports": [port]}})


def orders(shop: Shop, port: object) -> None:
    """Apply the API in front of a port of the Service."""
    endpoint = {"name": "e", "serviceRef": {"name": "orders", "port": port}}
    shop.api("orders", endpointGroups=[{"name": "g", "endpoints": [endpoint]}], flows=[])


def test_an_api_waits_for_its_service_and_then_serves_its_endpoints(
    shop: Shop, shop_pod: StartPod, backend: Backend
) -> None:
    shop.open("invoices")
    shop.plan("orders", {"keyless": {}})
    orders(shop, 80)
    wait_for(
        lambda: shop.condition("ApiDefinition", "orders", "ResolvedRefs") == ("False", "ServiceNotFound")
    )
    service(shop, name="grpc", port=81)
    resolved = ("False", "ServicePortNotFound")
    wait_for(lambda: shop.condition("ApiDefinition", "orders", "ResolvedRefs") == resolved)
    service(shop, name="http", port=80)
    wait_for(lambda: shop.condition("ApiDefinition", "orders", "ResolvedRefs")[0] == "True")
    write_slice(shop.cluster, "orders-1", backend)
    pod = shop_pod()
    wait_for(answers(pod, "/orders", (200, "one")))
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    assert backend.hosts[-1] == f"orders.{shop.namespace}.svc"


def test_the_right_to_endpoint_slices_comes_and_goes_with_the_reference(
    shop: Shop, shop_pod: StartPod, backend: Backend
) -> None:
    shop.open("orders")
    pod = shop_pod()
    service(shop, name="http", port=80)
    write_slice(shop.cluster, "orders-1", backend)
    assert not [name for name in shop.names(f"{RBAC}:roles") if name.endswith("-endpoints")]
    orders(shop, "http")
    wait_for(answers(pod, "/orders", (200, "one")))
    (name,) = [name for name in shop.names(f"{RBAC}:roles") if name.endswith("-endpoints")]
    shop.api("orders", "plain")
    wait_for(answers(pod, "/orders", (200, "plain")))
    wait_for(lambda: name not in shop.names(f"{RBAC}:roles"))
