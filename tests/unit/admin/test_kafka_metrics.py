"""What the metrics page says of Kafka APIs."""

from gateway_runtime.admin.metrics import GatewayState, render
from gateway_runtime.stats import KafkaStats

STATE = GatewayState(workers=1, restarts=0, apis=1, ready=True)


def test_each_kafka_api_has_its_series() -> None:
    stats = KafkaStats()
    stats.requests, stats.throttled_ms, stats.connections_open = 7, 250, 2
    stats.refuse("API_KEY_INVALID")
    page = render({"kafka": {"shop/orders": stats.dump()}}, STATE)
    assert 'penstock_kafka_requests_total{api="shop/orders"} 7' in page
    assert 'penstock_kafka_throttled_milliseconds_total{api="shop/orders"} 250' in page
    assert 'penstock_kafka_connections_open{api="shop/orders"} 2' in page
    assert 'penstock_kafka_refused_total{api="shop/orders",reason="API_KEY_INVALID"} 1' in page


def test_a_gateway_without_kafka_has_no_such_series() -> None:
    assert "kafka" not in render({}, STATE)
