"""Rates as Kafka's brokers reckon them: means over eleven samples of a second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_dialogue import Clock

from gateway_runtime.kafka.quota import Quota, Rate


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_fits_in_ten_seconds_is_not_held_back(clock: Clock) -> None:
    rate = Rate(100, clock)
    assert rate.charge(1000) == 0
    assert rate.charge(1) == 10


def test_the_time_is_as_long_as_the_rate_takes_to_be_within_the_limit(clock: Clock) -> None:
    rate = Rate(100, clock)
    assert rate.charge(1500) == 5000
    clock.time += 5
    assert rate.charge(0) == 5000, "a mean over ten full seconds: only what falls out of them helps"
    clock.time += 6
    assert rate.charge(0) == 0


def test_a_second_that_is_not_over_counts_as_far_as_it_is(clock: Clock) -> None:
    rate = Rate(100, clock)
    clock.time += 0.5
    assert rate.charge(1050) == 0
    assert rate.charge(10) == 100


def test_a_steady_use_within_the_limit_is_never_held_back(clock: Clock) -> None:
    rate = Rate(100, clock)
    for _ in range(1000):
        assert rate.charge(9) == 0
        clock.time += 0.1


def test_a_steady_use_beyond_the_limit_is_slowed_to_it(clock: Clock) -> None:
    rate, used, start = Rate(100, clock), 0, 1000.0
    while clock.time < start + 300:
        used += 50
        clock.time += rate.charge(50) / 1000 + 0.01
    assert used / (clock.time - start) == pytest.approx(100, rel=0.1)


def test_after_a_long_silence_nothing_is_left(clock: Clock) -> None:
    rate = Rate(100, clock)
    rate.charge(10**9)
    clock.time += 10_000
    assert rate.charge(1000) == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 30)), max_size=50))
def test_the_total_is_that_of_the_last_eleven_seconds(uses: list[tuple[int, float]]) -> None:
    clock = Clock(0.0)
    rate = Rate(1, clock)
    seen: list[tuple[int, int]] = []
    for amount, passed in uses:
        clock.time += passed
        rate.charge(amount)
        seen.append((int(clock.time), amount))
        now = int(clock.time)
        assert rate._total == sum(amount for second, amount in seen if second > now - 11)


def test_the_longest_time_of_a_quota_counts(clock: Clock) -> None:
    quota = Quota(Rate(100, clock), Rate(10, clock), Rate(1000, clock))
    assert quota.charge(1100, 0) == 1000
    assert quota.charge(0, 150) == 5000
    assert Quota(None, None, None).charge(10**9, 10**9) == 0
