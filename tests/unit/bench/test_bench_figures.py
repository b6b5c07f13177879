"""What the benchmark computes from what it measured."""

from __future__ import annotations

import pytest

from bench.goals import make_goals
from bench.latency import Latency, summarise
from bench.peak import Peak, parse_count
from bench.processes import Memory
from bench.rows import Cell, Row, Samples, make_rows


def _samples(*costs: float, p99: float = 1.0) -> Samples:
    peaks = [Peak(cost, cost, cost / 1000, 1.0, failed=1) for cost in costs]
    return Samples(peaks, [Latency(p99 / 2, p99, 1.0, failed=2)], Memory(10, 8))


def _rows(body: str = "1k") -> list[Row]:
    cells = {
        Cell("plain", body, 32, "envoy"): _samples(100, 300, 200, p99=4.0),
        Cell("plain", body, 32, "penstock"): _samples(500, 400, 900, p99=3.0),
    }
    return make_rows(cells)


def test_a_row_holds_the_median_with_the_least_and_greatest() -> None:
    assert _rows()[1]["requests_per_cpu_second"] == {"median": 500, "min": 400, "max": 900}


def test_a_row_counts_the_failed_requests_of_both_loads() -> None:
    assert _rows()[0]["failed"] == 3 * 1 + 2


def test_a_ratio_compares_the_medians_of_the_same_place() -> None:
    assert _rows()[1]["ratio_to_envoy"] == {
        "requests_per_second": 2.5,
        "requests_per_cpu_second": 2.5,
        "p99_ms": 0.75,
    }


def test_a_row_without_envoy_beside_it_has_no_ratio() -> None:
    rows = make_rows({Cell("plain", "1k", 32, "penstock"): _samples(1)})
    assert rows[0]["ratio_to_envoy"] is None


def test_goals_are_met_where_the_figures_are_good_enough() -> None:
    goals = make_goals(_rows(), {"rss_mib": 60}, {"median_ms": 99.9, "failed": 0})
    met = {name for name, goal in goals.items() if goal["met"]}
    expected = {"plain-1k-vs-envoy", "plain-p99-vs-envoy", "rss-1000-apis-mib", "reload-ms", "reload-failed"}
    assert met == expected


def test_a_goal_that_is_not_reached_is_not_met() -> None:
    goals = make_goals(_rows("1m"), {"rss_mib": 60.1}, {"median_ms": 100, "failed": 1})
    assert {name for name, goal in goals.items() if goal["met"]} == {"bytes-1m-vs-envoy"}


def test_a_goal_that_was_not_measured_is_not_met() -> None:
    goals = make_goals([], None, None)
    assert all(goal["reached"] is None and not goal["met"] for goal in goals.values())


def test_wrks_output_gives_its_counts() -> None:
    output = 'Running 3s test\nresult:{"requests": 7, "microseconds": 2, "status": 3, "socket": 1}\n'
    count = parse_count(output)
    assert (count.requests, count.microseconds, count.failed) == (7, 2, 4)


def test_percentiles_are_of_all_answers_and_failures_are_counted() -> None:
    rows = [(0, 200, micros * 1000) for micros in range(1, 100)] + [(0, -1, 500_000)]
    latency = summarise(rows, wanted=200)
    assert latency == Latency(p50=51.0, p99=500.0, kept=0.5, failed=1)


@pytest.mark.parametrize("wanted", [1.0, 100.0])
def test_no_answer_at_all_gives_no_percentile(wanted: float) -> None:
    latency = summarise([], wanted)
    assert latency.kept == 0
    assert latency.p99 != latency.p99
