"""Writes that fail are made again after a pause of their own."""

from __future__ import annotations

import asyncio

import pytest
from cluster_world import Clock

from gateway_runtime.cluster.client import ClusterError
from penstock_operator.cluster.writer import NameTakenError, Write, Writer


class Calls:
    """A writer, and the calls that it makes; those in `errors` fail."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.counted: list[str] = []
        self.writer = Writer(self.clock, self.counted.append)
        self.errors: dict[str, ClusterError] = {}
        self.made: list[str] = []

    def fail(self, name: str) -> None:
        self.errors[name] = ClusterError(500, "out of order")

    async def round(self, *names: str) -> list[str]:
        """The calls of a round that wants these."""
        self.made = []
        await self.writer.run(
            [Write(name, lambda name=name: self._call(name), "shop/edge") for name in names]
        )
        self.writer.end_round()
        return self.made

    async def _call(self, name: str) -> None:
        self.made.append(name)
        if name in self.errors:
            raise self.errors[name]


@pytest.fixture
def calls() -> Calls:
    return Calls()


async def test_an_object_that_fails_is_left_out_until_its_pause_is_over(calls: Calls) -> None:
    calls.fail("a")
    assert await calls.round("a", "b") == ["a", "b"]
    assert await calls.round("a", "b") == ["b"]
    end = calls.writer.next_attempt
    assert end is not None
    assert 0.25 <= end - calls.clock.now <= 0.5
    calls.clock.now = end
    assert await calls.round("a", "b") == ["a", "b"]


async def test_pauses_double_up_to_a_minute(calls: Calls) -> None:
    calls.fail("a")
    for failures in range(30):
        assert await calls.round("a") == ["a"]
        end = calls.writer.next_attempt
        assert end is not None
        longest = min(60.0, 0.5 * 2**failures)
        assert longest / 2 <= end - calls.clock.now <= longest
        calls.clock.now = end


async def test_a_success_ends_the_pauses(calls: Calls) -> None:
    calls.fail("a")
    for _ in range(5):
        await calls.round("a")
        calls.clock.now += 60
    calls.errors.clear()
    await calls.round("a")
    assert (calls.writer.failing, calls.writer.next_attempt, calls.writer.is_paused("a")) == (0, None, False)
    calls.fail("a")
    await calls.round("a")
    assert calls.writer.next_attempt is not None
    assert calls.writer.next_attempt - calls.clock.now <= 0.5


async def test_what_nobody_wants_to_write_any_more_is_forgotten_after_its_pause(calls: Calls) -> None:
    calls.fail("a")
    await calls.round("a")
    await calls.round()
    assert calls.writer.failing == 1
    calls.clock.now += 1
    await calls.round()
    assert calls.writer.failing == 0


async def test_a_name_that_is_taken_is_told_for_its_gateway(calls: Calls) -> None:
    calls.errors["a"] = NameTakenError("Service shop/edge")
    calls.fail("b")
    await calls.round("a", "b")
    assert list(calls.writer.taken) == ["shop/edge"]
    assert "Service shop/edge is there and not the operator's" in calls.writer.taken["shop/edge"][0]
    assert sorted(calls.counted) == ["ClusterError", "NameTakenError"]


async def test_a_slow_write_holds_no_other_up_and_few_are_made_at_once(calls: Calls) -> None:
    release, running, most = asyncio.Event(), 0, 0
    full = asyncio.Event()

    async def slow() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 16:
            full.set()
        await release.wait()
        running -= 1

    task = asyncio.create_task(calls.writer.run([Write(str(number), slow) for number in range(40)]))
    async with asyncio.timeout(5):
        await full.wait()
        release.set()
        await task
    assert most == 16


async def test_an_error_that_is_none_of_the_cluster_is_not_hidden(calls: Calls) -> None:
    async def wrong() -> None:
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        await calls.writer.run([Write("a", wrong)])
