"""Operator or API server are away: clients notice nothing, what was edited meanwhile is served later."""

from e2e.components.waiting import wait_until
from e2e.installed.release import NAMESPACE, Release
from e2e.installed.shop import Orders, Shop
from e2e.installed.traffic import traffic


def test_traffic_flows_while_the_operator_is_away(gateway: Release, orders: Orders, shop: Shop) -> None:
    shop.plan("hello")
    shop.api("hello", "before")
    shop.wait_for(shop.path("hello"), "before")
    scale = ["scale", "-n", NAMESPACE, "deployment/penstock-operator"]
    with traffic(orders.url, orders.headers) as load:
        gateway.cluster.kubectl_output(*scale, "--replicas=0")
        try:
            wait_until("the end of the operator", lambda: not gateway.operators())
            shop.api("hello", "after")
            # A pod that starts meanwhile serves what was published.
            one = min(gateway.pods())
            gateway.cluster.kubectl_output("delete", "pod", one, "-n", NAMESPACE, "--wait=false")
            wait_until("another pod", lambda: one not in gateway.pods() and gateway.ready_pods() == 2)
            assert {shop.ask(shop.path("hello")).text for _ in range(10)} == {"before"}
        finally:
            gateway.cluster.kubectl_output(*scale, "--replicas=2")
        shop.wait_for(shop.path("hello"), "after")
    assert load.failures == []


def test_traffic_flows_while_the_api_server_is_away(gateway: Release, orders: Orders, shop: Shop) -> None:
    shop.plan("hello")
    with traffic(orders.url, orders.headers) as load:
        gateway.cluster.stop_api_server()
        try:
            assert gateway.cluster.kubectl("get", "--raw=/readyz").returncode != 0
            load.wait_for(500)
        finally:
            gateway.cluster.start_api_server()
        shop.api("hello", "after")
        shop.wait_for(shop.path("hello"), "after")
    assert load.failures == []
