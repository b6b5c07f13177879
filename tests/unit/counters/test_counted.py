"""What a worker counted reaches the supervisor, and stays there when the worker is gone."""

from gateway_runtime.processes.counted import Changes, Counted
from gateway_runtime.stats import WorkerStats


def test_only_apis_that_have_served_since_are_told_again() -> None:
    stats = WorkerStats()
    changes = Changes(stats)
    stats.api("shop/a").count(200, 0.1)
    stats.api("shop/idle")
    assert changes.take()["apis"].keys() == {"shop/a"}
    stats.api("shop/b").count_error("GATEWAY_INTERNAL_ERROR")
    assert changes.take()["apis"].keys() == {"shop/b"}
    assert changes.take()["apis"] == {}


def test_changes_add_up_to_the_whole() -> None:
    stats, counted = WorkerStats(), Counted()
    changes = Changes(stats)
    for api in ("shop/a", "shop/b", "shop/a"):
        stats.api(api).count(200, 0.1)
        counted.hear(changes.take())
    assert {key: api["statuses"] for key, api in counted.total()["apis"].items()} == {
        "shop/a": {"200": 2},
        "shop/b": {"200": 1},
    }


def test_a_successor_counts_on_and_open_connections_of_the_dead_are_closed() -> None:
    counted = Counted()
    for _ in range(2):
        stats = WorkerStats()
        stats.connections_open = stats.connections_total = 3
        stats.api("shop/a").count(200, 0.1)
        counted.hear(Changes(stats).take())
        counted.bury()
    total = counted.total()
    assert (total["connections_total"], total["connections_open"]) == (6, 0)
    assert total["apis"]["shop/a"]["statuses"] == {"200": 2}


def test_an_api_that_is_gone_is_forgotten_and_what_met_no_api_is_kept() -> None:
    stats, counted = WorkerStats(), Counted()
    for api in ("-", "shop/a", "shop/gone"):
        stats.api(api).count(404, 0.0)
    counted.hear(Changes(stats).take())
    counted.keep({"shop/a"})
    assert counted.total()["apis"].keys() == {"-", "shop/a"}


def test_kafka_clients_are_counted_on_and_connections_of_the_dead_are_closed() -> None:
    counted = Counted()
    for _ in range(2):
        stats = WorkerStats()
        kafka = stats.kafka_api("shop/orders")
        kafka.connections_open = kafka.connections_total = 2
        kafka.requests = 5
        kafka.refuse("API_KEY_INVALID")
        counted.hear(Changes(stats).take())
        counted.bury()
    total = counted.total()["kafka"]["shop/orders"]
    assert (total["connections_open"], total["connections_total"], total["requests"]) == (0, 4, 10)
    assert total["refused"] == {"API_KEY_INVALID": 2}
    counted.keep(frozenset())
    assert counted.total()["kafka"] == {}
