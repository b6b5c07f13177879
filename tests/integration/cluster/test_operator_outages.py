"""The operator and what it needs are taken away at bad moments: traffic goes on, and all converges after."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_outages import outage
from gateway_pod import GatewayPod, load
from operator_process import RBAC, Operator, Shop, answers, wait_for

StartPod = Callable[..., GatewayPod]
Start = Callable[..., Operator]


@pytest.fixture
def start(account: Path) -> Iterator[Start]:
    """Starts operators of the test's own; kills what is left of them."""
    running: list[Operator] = []

    def started(elects: bool = False, webhook: bool = False) -> Operator:
        alone = () if elects else ("--no-leader-elect",)
        running.append(Operator(account, *alone, webhook=webhook))
        return running[-1]

    yield started
    for one in running:
        if one.process.poll() is None:
            one.kill()


def test_an_operator_killed_in_a_burst_of_edits_loses_none(
    start: Start, shop: Shop, shop_pod: StartPod
) -> None:
    first = start()
    shop.open("orders", "invoices", "doomed")
    pod = shop_pod()
    with load(pod, "/orders") as found:
        for number in range(20):
            shop.api("orders", f"orders {number}")
            shop.api("invoices", f"invoices {number}")
            if number == 10:
                first.kill()
        shop.delete("ApiDefinition", "doomed")
        start()
        wait_for(answers(pod, "/invoices", (200, "invoices 19")))
        wait_for(answers(pod, "/orders", (200, "orders 19")))
    wait_for(answers(pod, "/doomed", 404))
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders") and shop.is_ready("ApiDefinition", "invoices"))
    assert {status for status, _ in found} == {200}


def test_an_operator_that_starts_anew_changes_nothing_that_is_right(
    start: Start, shop: Shop, shop_pod: StartPod
) -> None:
    first = start()
    shop.open("orders")
    shop_pod()
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders") and shop.is_ready("Plan", "orders"))
    first.kill()
    second = start()
    wait_for(lambda: second.metric("penstock_operator_reconcile_seconds_count", part="clean") >= 1)
    assert second.writes() == 0


def test_what_is_broken_edited_and_deleted_while_the_operator_is_away_is_found(
    start: Start, shop: Shop, shop_pod: StartPod
) -> None:
    first = start()
    shop.open("orders", "invoices", "doomed")
    pod = shop_pod()
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    wait_for(lambda: len(shop.names("apps/v1:controllerrevisions")) == 3)
    assert first.stop() == 0
    shop.break_api("orders")
    shop.api("invoices", "v2")
    shop.delete("ApiDefinition", "doomed")
    start()
    wait_for(answers(pod, "/doomed", 404))
    wait_for(answers(pod, "/invoices", (200, "v2")))
    wait_for(lambda: shop.condition("ApiDefinition", "orders", "Programmed") == ("False", "NotAccepted"))
    assert answers(pod, "/orders", (200, "v1"))()
    late = shop_pod("edge-1")
    wait_for(answers(late, "/orders", (200, "v1")))


def test_what_the_webhook_would_refuse_is_told_by_conditions_where_it_is_away(
    start: Start, shop: Shop
) -> None:
    first = start(webhook=True)
    shop.open("orders")
    wait_for(lambda: "RouteConflict" in shop.try_other("orders", dryRun="All")[1])
    first.kill()
    assert shop.try_other("orders")[0] == 201
    start()
    wait_for(lambda: shop.condition("ApiDefinition", "other", "Accepted") == ("False", "RouteConflict"))


def test_traffic_goes_on_without_the_api_server_and_edits_are_served_once_it_is_back(
    start: Start, shop: Shop, shop_pod: StartPod
) -> None:
    running = start(elects=True)
    shop.open("orders", "doomed")
    pod = shop_pod(workers=2)
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    with load(pod, "/orders") as found:
        with outage(shop.cluster):
            count = len(found)
            wait_for(lambda: len(found) >= count + 100)
            os.kill(pod.workers()[0], signal.SIGKILL)
            wait_for(lambda: pod.is_ready() and len(pod.workers()) == 2)
        found_before = list(found)
        shop.api("orders", "v2")
        shop.delete("ApiDefinition", "doomed")
        wait_for(answers(pod, "/orders", (200, "v2")))
        wait_for(answers(pod, "/doomed", 404))
    # A request in the hands of the killed worker is lost with it, and its client's connection.
    assert {status for status, _ in found_before} <= {200, 0}
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    assert running.is_leading()


def test_a_namespace_that_forbids_writes_is_tried_again_with_growing_pauses(
    start: Start, shop: Shop, other: Shop
) -> None:
    none = {"configmaps": "0"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
    shop.cluster.apply("resourcequotas/none", {**quota, "spec": {"hard": none}})
    # What the controller manager would count.
    shop.cluster.apply("resourcequotas/none/status", {**quota, "status": {"hard": none, "used": none}})
    running = start()
    shop.open("orders")
    name = "penstock_operator_errors_total"
    wait_for(lambda: running.metric(name) >= 3)
    other.open("orders")
    wait_for(lambda: other.names("configmaps") >= {"edge-gateway-1"})
    assert running.metric("penstock_operator_queue", state="failing") >= 1
    assert running.metric(name) < 40
    shop.cluster.delete("resourcequotas/none")
    wait_for(lambda: "edge-gateway-1" in shop.names("configmaps"))
    wait_for(lambda: running.metric("penstock_operator_queue", state="failing") == 0)


def test_only_the_leader_writes_and_another_takes_over_at_once_when_it_stops(
    start: Start, shop: Shop
) -> None:
    first = start(elects=True)
    wait_for(first.is_leading)
    second = start(elects=True)
    wait_for(second.is_ready)
    shop.open("orders")
    wait_for(lambda: shop.names(f"{RBAC}:roles"))
    assert not second.is_leading()
    assert second.writes() == 0
    assert first.stop() == 0
    wait_for(second.is_leading, patience=10)
    shop.open("invoices")
    wait_for(lambda: shop.status("ApiDefinition", "invoices"))


def test_another_takes_over_when_the_leader_is_killed(start: Start, shop: Shop) -> None:
    first = start(elects=True)
    wait_for(first.is_leading)
    second = start(elects=True)
    wait_for(second.is_ready)
    first.kill()
    shop.open("orders")
    wait_for(second.is_leading, patience=40)
    wait_for(lambda: shop.names(f"{RBAC}:roles"))


def test_the_operator_tells_how_it_is_and_logs_json(start: Start, shop: Shop) -> None:
    running = start()
    wait_for(running.is_ready)
    shop.open("orders")
    wait_for(lambda: running.metric("penstock_operator_resources", kind="ApiDefinition") == 1)
    wait_for(lambda: running.metric("penstock_operator_reconcile_seconds_count", part="pipeline") >= 1)
    assert running.tell("/healthz") == (200, "ok\n")
    assert running.stop() == 0
    assert {"time", "level", "logger", "message"} <= running.lines()[-1].keys()
    assert all(line["level"] == "INFO" for line in running.lines()), running.log()
