"""Lists of names -> what is known, and what a broken watch did not tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from api_server import ApiServer, kube_of
from cluster_world import Changes, Clock, api, plan

from penstock_operator.cluster import listing as listing_module
from penstock_operator.cluster.handlers import Sinks
from penstock_operator.cluster.kinds import BY_NAME
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.listing import Listing
from penstock_operator.cluster.observed import Observed
from penstock_operator.cluster.store import Store
from penstock_operator.graph.types import ResourceId

APIS, PLANS = BY_NAME["ApiDefinition"], BY_NAME["Plan"]
ORDERS = "/apis/penstock.dev/v1alpha1/namespaces/shop/apidefinitions/orders"


class Listed:
    """A listing of a server's objects; `look` waits until it has looked once more."""

    def __init__(self, kube: Kube, server: ApiServer) -> None:
        self.server = server
        self.store = Store(Changes())
        self.looks: asyncio.Queue[None] = asyncio.Queue()
        sinks = Sinks(self.store, Observed(Changes(), Clock()))
        self.listing = Listing(kube, sinks, (), lambda: self.looks.put_nowait(None))

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            async with asyncio.timeout(10):
                await self.looks.get()

    async def settle(self) -> None:
        """Look until all is known."""
        while self.listing.missing:
            await self.look()


@pytest.fixture
async def listed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listed]:
    monkeypatch.setattr(listing_module, "_SETTLE", 0.01)
    server = ApiServer()
    server.add(ORDERS)
    async with kube_of(server) as kube:
        made = Listed(kube, server)
        task = asyncio.create_task(made.listing.run())
        yield made
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_kind_is_not_known_before_all_that_is_there_was_told(listed: Listed) -> None:
    listed.server.add(ORDERS.replace("orders", "parts"))
    listed.listing.expect([APIS, PLANS])
    assert listed.listing.missing == ("ApiDefinition", "Plan")
    await listed.look(2)
    assert listed.listing.missing == ("ApiDefinition",)
    listed.store.put(APIS, api("orders"))
    await listed.look(2)
    assert listed.listing.missing == ("ApiDefinition",)
    listed.store.put(APIS, api("parts"))
    await listed.settle()


async def test_what_cannot_be_parsed_is_known_too(listed: Listed) -> None:
    listed.store.put(APIS, api("orders", listeners="none"))
    listed.listing.expect([APIS])
    await listed.settle()


async def test_a_kind_that_cannot_be_listed_is_asked_for_again(listed: Listed) -> None:
    listed.server.failing.add("plans")
    listed.listing.expect([PLANS])
    await listed.look(2)
    assert listed.listing.missing == ("Plan",)
    listed.server.failing.clear()
    await listed.settle()


async def test_what_was_deleted_while_a_watch_was_broken_is_removed(listed: Listed) -> None:
    listed.store.put(APIS, api("orders"))
    listed.store.put(APIS, api("parts"))
    listed.listing.relisted(APIS)
    await listed.look()
    assert listed.store.resources.keys() == {ResourceId("ApiDefinition", "shop", "orders")}


async def test_what_is_deleted_while_its_first_listing_is_awaited_does_not_hold_it_up(listed: Listed) -> None:
    listed.listing.expect([APIS])
    await listed.look()
    del listed.server.objects[ORDERS]
    await listed.settle()


async def test_what_comes_while_names_are_compared_stays(listed: Listed) -> None:
    listed.store.put(APIS, api("orders"))
    listed.server.on_read = lambda: listed.store.put(APIS, api("new"))
    listed.listing.expect([APIS])
    await listed.settle()
    assert ResourceId("ApiDefinition", "shop", "new") in listed.store.resources


async def test_a_kind_that_was_known_stays_so_while_it_is_compared_again(listed: Listed) -> None:
    listed.store.put(APIS, api("orders"))
    listed.listing.expect([APIS])
    await listed.settle()
    listed.server.add(ORDERS.replace("orders", "parts"))
    listed.listing.relisted(APIS)
    assert listed.listing.missing == ()
    await listed.look()
    assert listed.listing.missing == ()


async def test_kinds_are_compared_each_by_itself(listed: Listed) -> None:
    listed.store.put(APIS, api("orders"))
    listed.store.put(PLANS, plan())
    listed.listing.relisted(APIS)
    await listed.look()
    assert ResourceId("Plan", "shop", "gold") in listed.store.resources


async def test_what_goes_while_a_kind_is_listed_again_and_again_is_noticed(listed: Listed) -> None:
    gone = ResourceId("ApiDefinition", "shop", "parts")
    listed.store.put(APIS, api("orders"))
    listed.store.put(APIS, api("parts"))
    listed.server.add(ORDERS.replace("orders", "parts"))
    listed.server.add(ORDERS.replace("orders", "late"))  # not told of yet: the kind stays awaited
    listed.listing.expect([APIS])
    await listed.look(2)
    assert (listed.listing.missing, gone in listed.store.resources) == (("ApiDefinition",), True)
    del listed.server.objects[ORDERS.replace("orders", "parts")]
    listed.listing.relisted(APIS)
    while gone in listed.store.resources:
        await listed.look()
