"""Processes end without notice: what they served breaks off, all else is answered, and they come back."""

from typing import Any

from e2e.components.waiting import wait_until
from e2e.installed.release import NAMESPACE, Release
from e2e.installed.shop import Orders, Shop
from e2e.installed.traffic import Traffic, traffic

KILL_A_WORKER = """
import os, signal
worker = min(map(int, open("/proc/1/task/1/children").read().split()))
os.kill(worker, signal.SIGKILL)
print(worker)
"""
CLIENTS = 4


def restarts(gateway: Release) -> int:
    pods: list[dict[str, Any]] = gateway.get("pods")["items"]
    return sum(one["restartCount"] for pod in pods for one in pod["status"]["containerStatuses"])


def wait_until_all_is_answered(load: Traffic) -> None:
    """Returns when a hundred answers in a row are as they should be."""
    wait_until("answers", lambda: all(one.status == 200 for one in load.wait_for(100)))


def test_a_killed_worker_costs_only_what_it_was_serving(gateway: Release, orders: Orders) -> None:
    pod, before = min(gateway.pods()), restarts(gateway)
    with traffic(orders.url, orders.headers) as load:
        command = ["exec", "-n", NAMESPACE, pod, "--", "python", "-c", KILL_A_WORKER]
        assert int(gateway.cluster.kubectl_output(*command)) > 1
        load.wait_for(200)
    assert len(load.failures) <= CLIENTS
    assert pod in gateway.pods()
    assert restarts(gateway) == before


def test_a_killed_pod_is_replaced_and_the_other_serves_on(gateway: Release, orders: Orders) -> None:
    one = min(gateway.pods())
    with traffic(orders.url, orders.headers) as load:
        kill = ["delete", "pod", one, "-n", NAMESPACE, "--force", "--grace-period=0"]
        gateway.cluster.kubectl_output(*kill)
        answered = load.wait_for(100)
        assert sum(answer.status == 200 for answer in answered) >= 100 - 2 * CLIENTS
        wait_until_all_is_answered(load)
        gateway.wait_for_pods(2)
    assert one not in gateway.pods()


def test_all_containers_of_a_node_are_killed_and_serve_again(
    gateway: Release, orders: Orders, shop: Shop
) -> None:
    pods, before = gateway.pods() | gateway.operators(), restarts(gateway)
    with traffic(orders.url, orders.headers) as load:
        assert gateway.cluster.kill_node_containers(NAMESPACE) == 2 * len(pods)
        wait_until("restarted containers", lambda: restarts(gateway) >= before + len(pods), seconds=120)
        gateway.wait_for_pods(2)
        wait_until_all_is_answered(load)
    assert gateway.pods() | gateway.operators() == pods
    # The operator works again, too.
    shop.plan("hello")
    shop.api("hello", "hello")
    shop.wait_for(shop.path("hello"), "hello")
