"""The operator's connections to its API server break while both stay up: nothing that changes is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_outages import compact, outage
from gateway_pod import GatewayPod
from operator_process import Operator, Shop, answers, wait_for
from severable import Link

StartPod = Callable[..., GatewayPod]
FORGOTTEN_FOR = 150.0
"""Seconds in which an operator gives up watches that say nothing any more; kopf's are given 70."""


@pytest.fixture
def operator(account: Path, link: Link) -> Iterator[Operator]:
    """An operator that leads, on the way that can break."""
    running = Operator(link.lead(account))
    wait_for(running.is_leading)
    yield running
    if running.process.poll() is None:
        running.kill()


@pytest.fixture
def pod(operator: Operator, shop: Shop, shop_pod: StartPod) -> GatewayPod:
    """A pod that serves three APIs, on a way of its own."""
    shop.open("orders", "invoices", "doomed")
    made = shop_pod()
    wait_for(lambda: all(shop.is_ready("ApiDefinition", name) for name in ("orders", "invoices", "doomed")))
    return made


def edit_and_delete(shop: Shop) -> None:
    """What the operator must find out about later."""
    shop.api("orders", "v2")
    shop.break_api("invoices")
    shop.delete("ApiDefinition", "doomed")


def wait_till_found(operator: Operator, shop: Shop, pod: GatewayPod, patience: float = 60.0) -> None:
    """All of it is in service or told, by the operator that was there before."""
    wait_for(answers(pod, "/doomed", 404), patience)
    wait_for(answers(pod, "/orders", (200, "v2")), patience)
    wait_for(
        lambda: shop.condition("ApiDefinition", "invoices", "Programmed") == ("False", "NotAccepted"),
        patience,
    )
    assert answers(pod, "/invoices", (200, "v1"))()
    wait_for(operator.is_leading)


def test_what_changes_while_watches_are_cut_is_found(
    operator: Operator, shop: Shop, pod: GatewayPod, link: Link
) -> None:
    link.cut()
    edit_and_delete(shop)
    link.mend()
    wait_till_found(operator, shop, pod)


def test_what_changes_while_watches_are_cut_is_found_where_its_history_is_gone(
    operator: Operator, shop: Shop, pod: GatewayPod, link: Link
) -> None:
    link.cut()
    edit_and_delete(shop)
    with outage(shop.cluster):
        compact(shop.cluster)
    link.mend()
    wait_till_found(operator, shop, pod)


@pytest.mark.slow
def test_what_changes_behind_connections_that_are_dead_without_a_word_is_found(
    operator: Operator, shop: Shop, pod: GatewayPod, link: Link
) -> None:
    link.forget()
    edit_and_delete(shop)
    wait_till_found(operator, shop, pod, FORGOTTEN_FOR)
