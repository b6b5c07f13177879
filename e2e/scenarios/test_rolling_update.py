"""The gateway's pods are replaced while clients call it, and no request fails."""

from e2e.components.waiting import wait_until
from e2e.installed.release import NAMESPACE, Release
from e2e.installed.shop import Orders
from e2e.installed.traffic import traffic


def test_a_rolling_update_fails_no_request(gateway: Release, orders: Orders) -> None:
    before = gateway.pods()
    with traffic(orders.url, orders.headers) as load:
        gateway.change_gateway(podTemplate={"annotations": {"example.com/rolled": "yes"}})
        wait_until("the end of the pods before", lambda: not before & gateway.pods(), seconds=150)
        gateway.wait_for_pods(2)
    assert load.failures == []


def test_a_deleted_pod_answers_what_it_was_asked(gateway: Release, orders: Orders) -> None:
    one = min(gateway.pods())
    with traffic(orders.url, orders.headers) as load:
        gateway.cluster.kubectl_output("delete", "pod", one, "-n", NAMESPACE, "--wait=false")
        wait_until("the end of the pod", lambda: one not in gateway.pods(), seconds=90)
        gateway.wait_for_pods(2)
    assert load.failures == []
