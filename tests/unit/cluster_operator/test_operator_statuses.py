"""Statuses that have become others -> writes and Events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from api_server import ApiServer, kube_of
from cluster_world import API, PLAN, Clock, api, plan

from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.statuses import StatusWriter
from penstock_operator.cluster.writer import Writer
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.status import ApiStatus, StatusCondition
from penstock_operator.status.build import Change
from penstock_operator.status.verdicts import PENDING, PROGRAMMED

STATUS = "/apis/penstock.dev/v1alpha1/namespaces/shop/apidefinitions/orders/status"


def status(holds: bool, reason: str = "Served", pods: str = "1/1") -> ApiStatus:
    word = "True" if holds else "False"
    condition = StatusCondition(
        type=PROGRAMMED,
        status=word,
        reason=reason,
        message=reason,
        last_transition_time="2026-11-24T12:00:00Z",
    )
    return ApiStatus(conditions=(condition,), pods=pods)


DONE = status(True)
PASSING = status(False, PENDING)
FAILED = status(False, "Conflict")


class Round:
    """Rounds of writing statuses."""

    def __init__(self, kube: Kube, server: ApiServer) -> None:
        self.clock = Clock()
        self.server = server
        self.statuses = StatusWriter(kube, "operator-1", self.clock)
        self.writer = Writer(self.clock, lambda _: None)
        self.there: Mapping[ResourceId, KubeObject] = {API: api(), PLAN: plan()}

    async def write(self, *changes: Change, of: ResourceId = API) -> list[str]:
        """The paths that are written to in a round."""
        for change in changes:
            self.statuses.take({of: change})
        before = len(self.server.writes)
        await self.writer.run(self.statuses.writes(self.there, self.writer.is_paused))
        self.writer.end_round()
        return [path for _, path, _ in self.server.writes[before:]]

    @property
    def events(self) -> list[KubeObject]:
        return [body for _, path, body in self.server.writes if path.endswith("/events")]


@pytest.fixture
async def rounds() -> AsyncIterator[Round]:
    server = ApiServer()
    async with kube_of(server) as kube:
        yield Round(kube, server)


async def test_a_status_is_written_once(rounds: Round) -> None:
    assert STATUS in await rounds.write(Change(PASSING, DONE))
    assert rounds.server.writes[0][2]["status"]["pods"] == "1/1"
    rounds.clock.now += 100
    assert await rounds.write() == []


async def test_a_state_that_passes_within_a_second_costs_one_write(rounds: Round) -> None:
    assert await rounds.write(Change(DONE, PASSING)) == []
    assert rounds.statuses.next_write == rounds.clock.now + 1
    rounds.clock.now += 0.4
    served = status(True, pods="2/2")
    assert await rounds.write(Change(PASSING, served)) == [STATUS]
    assert rounds.server.writes[0][2]["status"]["pods"] == "2/2"
    assert rounds.statuses.next_write is None


async def test_a_state_that_does_not_pass_is_told_after_a_second(rounds: Round) -> None:
    await rounds.write(Change(DONE, PASSING))
    rounds.clock.now += 0.9
    assert await rounds.write(Change(PASSING, status(False, PENDING, "0/2"))) == []
    rounds.clock.now += 0.1
    assert await rounds.write() == [STATUS]
    assert rounds.server.writes[0][2]["status"]["pods"] == "0/2"


async def test_a_failure_is_told_at_once_with_an_event(rounds: Round) -> None:
    paths = await rounds.write(Change(DONE, FAILED))
    assert paths[0] == STATUS
    (event,) = rounds.events
    assert (event["type"], event["reason"], event["regarding"]["uid"]) == (
        "Warning",
        "Conflict",
        "uid-of-orders",
    )


async def test_what_has_become_as_it_was_is_not_written(rounds: Round) -> None:
    await rounds.write(Change(DONE, PASSING))
    assert await rounds.write(Change(PASSING, DONE)) == []
    rounds.clock.now += 2
    assert await rounds.write() == []


async def test_a_write_that_fails_is_repeated_after_its_pause_with_what_is_true_then(rounds: Round) -> None:
    rounds.server.failing.add("/orders/status")
    assert await rounds.write(Change(PASSING, DONE)) == []
    rounds.server.failing.clear()
    assert await rounds.write() == [], "the pause was not waited for"
    rounds.clock.now += 1
    newest = status(True, pods="3/3")
    paths = await rounds.write(Change(DONE, newest))
    assert paths.count(STATUS) == 1
    assert rounds.server.writes[0][2]["status"]["pods"] == "3/3"
    assert [event["reason"] for event in rounds.events] == [PROGRAMMED]


async def test_a_write_that_fails_holds_no_other_up(rounds: Round) -> None:
    rounds.server.failing.add("/orders/status")
    rounds.statuses.take({API: Change(None, DONE), PLAN: Change(None, DONE)})
    assert STATUS.replace("apidefinitions/orders", "plans/gold") in await rounds.write()


async def test_the_status_of_what_was_deleted_meanwhile_is_dropped(rounds: Round) -> None:
    await rounds.write(Change(DONE, PASSING))
    rounds.there = {}
    rounds.clock.now += 2
    assert await rounds.write() == []
    rounds.there = {API: api()}
    assert await rounds.write() == []


async def test_so_many_statuses_are_written_a_round_that_an_edit_need_not_wait(rounds: Round) -> None:
    names = [ResourceId("Plan", "shop", f"plan-{number}") for number in range(600)]
    rounds.there = {name: plan(name.name) for name in names}
    rounds.statuses.take(dict.fromkeys(names, Change(None, DONE)))
    paths = [path for path in await rounds.write() if path.endswith("/status")]
    assert len(paths) == 512
    assert rounds.statuses.next_write == rounds.clock.now, "the rest would wait for another change"
    assert len(rounds.events) == 100
    assert len([path for path in await rounds.write() if path.endswith("/status")]) == 88


async def test_a_backlog_of_many_rounds_tells_its_first_news_alone(rounds: Round) -> None:
    names = [ResourceId("Plan", "shop", f"plan-{number}") for number in range(1100)]
    rounds.there = {name: plan(name.name) for name in names}
    rounds.statuses.take(dict.fromkeys(names, Change(None, DONE)))
    await rounds.write()
    assert len([path for path in await rounds.write() if path.endswith("/status")]) == 512
    assert len(rounds.events) == 100
