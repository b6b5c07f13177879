"""The addresses at which a gateway accepts."""

from __future__ import annotations

from gateway_runtime.snapshot.codec import api_entry
from gateway_runtime.snapshot.kafka import KafkaApi, KafkaCluster, KafkaListener, ListenerTls
from gateway_runtime.snapshot.openings import Opening, openings
from gateway_runtime.snapshot.types import ApiSection, GatewaySection, HttpListener, Snapshot

BY_NAME = KafkaListener(name="names", port=9092, bootstrap="{api}.example", broker="{api}-{broker}.example")
BY_PORT = KafkaListener(name="ports", port=9100, last_port=9120)
HTTP = HttpListener(name="http", port=8080)


def kafka_api(name: str, port: int, brokers: int) -> ApiSection:
    cluster = KafkaCluster(name="c", bootstrap_servers=("k:9092",))
    kafka = KafkaApi(name=name, cluster=cluster, port=port, brokers=brokers)
    return ApiSection(name=name, namespace="shop", routes=(), endpoint_groups=(), kafka=kafka)


def snapshot(
    *listeners: KafkaListener, apis: tuple[ApiSection, ...] = (), http: tuple[HttpListener, ...] = ()
) -> Snapshot:
    gateway = GatewaySection(listeners=http, kafka_listeners=listeners)
    return Snapshot(gateway=gateway, apis={f"shop/{one.name}": api_entry(one) for one in apis})


def ports(found: tuple[Opening, ...]) -> list[tuple[str, int]]:
    return [(opening.listener.name, opening.port) for opening in found]


def test_a_listener_by_names_has_one_port_whatever_its_apis_are() -> None:
    apis = (kafka_api("a", 0, 3), kafka_api("b", 9200, 3))
    assert ports(openings(snapshot(BY_NAME, apis=apis))) == [("names", 9092)]


def test_a_listener_by_ports_has_those_of_each_api_in_its_range() -> None:
    apis = (kafka_api("a", 9100, 2), kafka_api("b", 9110, 1), kafka_api("far", 9200, 1))
    found = ports(openings(snapshot(BY_PORT, apis=apis)))
    assert found == [("ports", port) for port in (9100, 9101, 9102, 9110, 9111)]


def test_an_api_that_reaches_over_the_range_has_the_ports_within() -> None:
    found = ports(openings(snapshot(BY_PORT, apis=(kafka_api("a", 9119, 3),))))
    assert found == [("ports", 9119), ("ports", 9120)]


def test_an_api_without_a_port_opens_none() -> None:
    everything = KafkaListener(name="all", port=1, last_port=65535)
    assert openings(snapshot(everything, apis=(kafka_api("a", 0, 3),))) == ()


def test_a_range_without_an_end_is_one_port() -> None:
    one = KafkaListener(name="one", port=9100)
    assert ports(openings(snapshot(one, apis=(kafka_api("a", 9100, 3),)))) == [("one", 9100)]


def test_http_has_an_address_that_a_kafka_listener_wants_too() -> None:
    both = snapshot(BY_NAME, http=(HTTP, HttpListener(name="taken", port=9092)))
    assert ports(openings(both)) == [("http", 8080), ("taken", 9092)]


def test_a_socket_stays_while_patterns_or_certificates_change_but_not_when_tls_comes() -> None:
    plain = Opening(port=1, kafka=KafkaListener(name="a", port=1))
    other = Opening(port=1, kafka=KafkaListener(name="b", port=1, host="edge.example"))
    tls = Opening(port=1, kafka=KafkaListener(name="a", port=1, tls=ListenerTls(certificates=())))
    assert plain.identity == other.identity
    assert tls.identity != plain.identity
    assert Opening(port=1, http=HTTP).identity not in {plain.identity, tls.identity}
