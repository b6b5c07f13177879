"""One worker's counter: windows, limits and its bound on memory."""

from __future__ import annotations

import pytest

from gateway_runtime.counters.local import LocalCounter


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_window_opens_with_the_first_use_and_tells_what_is_left(clock: Clock) -> None:
    counter = LocalCounter(clock=clock)
    assert counter.hit(b"a", 2, 10.0) == (True, 1, 10.0)
    clock.now += 4.0
    assert counter.hit(b"a", 2, 10.0) == (True, 0, 6.0)
    assert counter.hit(b"a", 2, 10.0) == (False, 0, 6.0)


def test_a_new_window_opens_when_the_old_one_has_ended(clock: Clock) -> None:
    counter = LocalCounter(clock=clock)
    counter.hit(b"a", 1, 10.0)
    clock.now += 10.0
    assert counter.hit(b"a", 1, 10.0) == (True, 0, 10.0)


def test_a_refused_use_is_not_counted(clock: Clock) -> None:
    counter = LocalCounter(clock=clock)
    counter.hit(b"a", 1, 10.0)
    for _ in range(5):
        assert not counter.hit(b"a", 1, 10.0)[0]
    assert counter.hit(b"a", 3, 10.0) == (True, 1, 10.0)


def test_a_limit_of_nothing_opens_no_window(clock: Clock) -> None:
    counter = LocalCounter(clock=clock)
    assert counter.hit(b"a", 0, 10.0) == (False, 0, 10.0)
    assert len(counter) == 0


def test_a_shorter_period_frees_a_client_of_the_old_long_window(clock: Clock) -> None:
    counter = LocalCounter(clock=clock)
    counter.hit(b"a", 1, 86400.0)
    assert counter.hit(b"a", 1, 60.0) == (True, 0, 60.0)


def test_at_the_limit_ended_windows_go_and_open_ones_stay(clock: Clock) -> None:
    counter = LocalCounter(max_entries=64, clock=clock)
    counter.hit(b"open", 5, 1000.0)
    for number in range(63):
        counter.hit(b"short %d" % number, 5, 1.0)
    clock.now += 2.0
    counter.hit(b"new", 5, 1.0)
    assert len(counter) == 2
    assert counter.hit(b"open", 5, 1000.0)[1] == 3


def test_at_the_limit_the_open_windows_that_end_first_give_way(clock: Clock) -> None:
    counter = LocalCounter(max_entries=64, clock=clock)
    for number in range(64):
        counter.hit(b"%d" % number, 5, 100.0 + number)
    counter.hit(b"new", 5, 50.0)
    assert len(counter) == 61
    assert counter.hit(b"63", 5, 163.0)[1] == 3
    assert counter.hit(b"0", 5, 100.0)[1] == 4


def test_memory_stays_bounded_under_a_flood_of_keys(clock: Clock) -> None:
    counter = LocalCounter(max_entries=256, clock=clock)
    for number in range(10_000):
        clock.now += 0.001
        counter.hit(b"%d" % number, 5, 3600.0)
        assert len(counter) <= 256


def test_windows_that_end_together_give_way_a_few_at_a_time(clock: Clock) -> None:
    counter = LocalCounter(max_entries=64, clock=clock)
    for number in range(65):
        counter.hit(b"%d" % number, 5, 100.0)
    assert len(counter) == 61
