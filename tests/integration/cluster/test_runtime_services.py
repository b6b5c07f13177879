"""Traffic follows the EndpointSlices of a Service, as they come and go, and no request fails meanwhile."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator

import pytest
from gateway_pod import GATEWAY, Cluster, GatewayPod, api, load, wait_for
from service_backends import SLICES, Backend, endpoint, write_slice
from test_runtime_outages import outage

from gateway_runtime.snapshot.types import ApiSection, Endpoint, EndpointGroup, ServicePort

StartPod = Callable[..., GatewayPod]
FOLLOW = {
    "apiGroups": ["discovery.k8s.io"],
    "resources": ["endpointslices"],
    "verbs": ["get", "list", "watch"],
}


@pytest.fixture
def one() -> Iterator[Backend]:
    backend = Backend("one")
    yield backend
    backend.stop()


@pytest.fixture
def two() -> Iterator[Backend]:
    backend = Backend("two")
    yield backend
    backend.stop()


@pytest.fixture
def pod(cluster: Cluster, start_pod: StartPod) -> GatewayPod:
    """A pod that may follow the Services of its namespace."""
    made = start_pod()
    allow(cluster)
    return made


def allow(cluster: Cluster) -> None:
    """Give the pods' account the right that the operator gives."""
    rbac, name = "rbac.authorization.k8s.io/v1", f"{GATEWAY}-endpoints"
    role = {"apiVersion": rbac, "kind": "Role", "metadata": {"name": name}, "rules": [FOLLOW]}
    cluster.apply(f"{rbac}:roles/{name}", role)
    binding = {
        "apiVersion": rbac,
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "edge-gateway", "namespace": cluster.namespace}],
    }
    cluster.apply(f"{rbac}:rolebindings/{name}", binding)


def orders(cluster: Cluster, **fields: object) -> ApiSection:
    """The API in front of the port `http` of the Service `orders`."""
    port = ServicePort(namespace=cluster.namespace, name="orders", port="http")
    found = Endpoint(name="e", url="http://orders.shop.svc:8080", service=port)
    return api(
        "orders", "", endpoint_groups=(EndpointGroup(name="g", endpoints=(found,)),), flows=(), **fields
    )


def serves(pod: GatewayPod, *names: str) -> Callable[[], bool]:
    """Whether requests in a row are answered by just these backends, each worker's turns among them."""
    return lambda: {pod.get("/orders") for _ in range(8)} == {(200, name) for name in names}


def test_traffic_follows_the_slices_and_no_request_fails(
    cluster: Cluster, pod: GatewayPod, one: Backend, two: Backend
) -> None:
    write_slice(cluster, "orders-1", one)
    cluster.publish(orders(cluster), gateway=pod.section)
    wait_for(pod.is_ready)
    assert serves(pod, "one")()
    with load(pod, "/orders") as answers:
        write_slice(cluster, "orders-2", two)
        wait_for(serves(pod, "one", "two"))
        write_slice(cluster, "orders-1", one, endpoint(ready=False, serving=True, terminating=True))
        wait_for(serves(pod, "two"))
        write_slice(cluster, "orders-1", one)
        wait_for(serves(pod, "one", "two"))
        write_slice(cluster, "orders-2", two, endpoint(ready=False))
        wait_for(serves(pod, "one"))
        write_slice(cluster, "orders-2", two)
        cluster.delete(f"{SLICES}/orders-1")
        wait_for(serves(pod, "two"))
        write_slice(cluster, "orders-2", two, endpoint(ready=False, serving=True, terminating=True))
        write_slice(cluster, "orders-1", one, endpoint(ready=False))
        count = len(answers)
        wait_for(lambda: len(answers) > count + 100)
        assert serves(pod, "two")()
    assert {status for status, _ in answers} == {200}
    assert set(one.hosts + two.hosts) == {"orders.shop.svc:8080"}


def test_a_service_without_endpoints_is_an_error_with_a_key(
    cluster: Cluster, pod: GatewayPod, one: Backend
) -> None:
    cluster.publish(orders(cluster), gateway=pod.section)
    wait_for(pod.is_ready)
    status, body = pod.get("/orders")
    assert (status, json.loads(body)["key"]) == (503, "UPSTREAM_NO_ENDPOINT")
    write_slice(cluster, "orders-1", one)
    wait_for(serves(pod, "one"))
    cluster.delete(f"{SLICES}/orders-1")
    wait_for(lambda: pod.get("/orders")[0] == 503)


def test_a_pod_serves_the_last_known_endpoints_without_its_api_server(
    cluster: Cluster, pod: GatewayPod, one: Backend, two: Backend
) -> None:
    write_slice(cluster, "orders-1", one)
    cluster.publish(orders(cluster), gateway=pod.section)
    wait_for(pod.is_ready)
    with load(pod, "/orders") as answers:
        with outage(cluster):
            wait_for(lambda: f"EndpointSlices of {cluster.namespace} cannot be followed" in pod.log())
            before = pod.workers()
            os.kill(before[0], signal.SIGKILL)
            wait_for(lambda: pod.is_ready() and len(pod.workers()) == 2 and pod.workers() != before)
            assert serves(pod, "one")()
        count = len(answers)
        write_slice(cluster, "orders-2", two)
        cluster.delete(f"{SLICES}/orders-1")
        wait_for(serves(pod, "two"))
    assert count > 100
    assert {status for status, _ in answers} <= {200, 0}


def test_an_edit_that_turns_to_a_service_serves_on_until_its_endpoints_are_known(
    cluster: Cluster, start_pod: StartPod, one: Backend
) -> None:
    pod = start_pod()
    cluster.publish(api("orders", "plain"), gateway=pod.section)
    wait_for(pod.is_ready)
    write_slice(cluster, "orders-1", one)
    with load(pod, "/orders") as answers:
        version = cluster.publish(orders(cluster), gateway=pod.section)
        wait_for(lambda: cluster.told(pod.name)[0] >= version)
        wait_for(lambda: "cannot list resource" in cluster.told(pod.name)[1]["shop/orders"])
        assert pod.get("/orders") == (200, "plain")
        allow(cluster)
        wait_for(serves(pod, "one"))
        wait_for(lambda: cluster.told(pod.name)[1] == {})
    assert set(answers) == {(200, "plain"), (200, "one")}
