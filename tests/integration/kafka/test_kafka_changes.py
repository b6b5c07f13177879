"""Gateway and configuration change while clients write and read: they lose nothing, and get nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from driver_aiokafka import AioKafka
from driver_confluent import Confluent
from driver_programs import Java
from kafka_access import Access, Driver, Seen
from kafka_gateway import KafkaGateway, Manifest, Setup, upstream
from kafka_load import Writer
from raw_client import RawClient, raw_client

from e2e.components.kafka import Kafka
from e2e.components.waiting import wait_until

pytestmark = pytest.mark.slow

Start = Callable[..., KafkaGateway]
Make = Callable[[Access], Driver]
PATIENT = (AioKafka, Confluent, Java)
"""Clients whose members go on by themselves where nobody listens for a while; others tell their program."""
KEYS = {name: f"a-key-that-nobody-guesses-of-{name}" for name in ("writer", "reader", "other")}


@dataclass
class Load:
    """What runs: who writes, and what a member of a group has read."""

    writer: Writer
    seen: Seen

    def goes_on(self) -> None:
        """More is written, and it is read."""
        self.writer.more()
        there = {*self.writer.written}
        self.seen.wait("what is written", lambda seen: there <= {*seen.values})


def test_policy_is_edited(kafka: Kafka, driver: Make, start_gateway: Start, name: str) -> None:
    gateway = start_gateway(_setup(kafka))
    with _load(kafka, gateway, driver, name) as load:
        before = _connections(gateway)
        gateway.apply(replace(_setup(kafka), flows=(_quota(10**9),)))
        wait_until("new connections", lambda: _connections(gateway) > before)
        load.goes_on()
        gateway.apply(replace(_setup(kafka), flows=(_quota(10**8),)))
        load.goes_on()


def test_another_subscription_comes_and_goes(
    kafka: Kafka, driver: Make, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(_setup(kafka))
    with _load(kafka, gateway, driver, name) as load:
        load.goes_on()
        before, attempts = _connections(gateway), 0
        for changed, is_let_in in (
            (_setup(kafka).open_to("other", KEYS["other"]), True),
            (_setup(kafka), False),
        ):
            gateway.apply(changed)
            attempts += _attempts_until(gateway, is_let_in)
            load.goes_on()
        assert _connections(gateway) == before + attempts


def test_subscription_of_the_reader_is_paused(kafka: Kafka, start_gateway: Start, name: str) -> None:
    setup = _setup(kafka)
    gateway = start_gateway(setup)
    with _load(kafka, gateway, Confluent, name) as load:
        load.goes_on()
        paused = setup.subscriptions["reader"] | {"state": "Paused"}
        gateway.apply(replace(setup, subscriptions=setup.subscriptions | {"reader": paused}))
        wait_until("an end of connections", lambda: _paused(gateway) > 0)
        read = len(load.seen.values)
        load.writer.more(300)
        assert len(load.seen.values) - read < 100
        assert all("SUBSCRIPTION_PAUSED" in line for line in _closed(gateway))
        gateway.apply(setup)
        load.goes_on()


@pytest.mark.parametrize("client", PATIENT, ids=lambda one: one.name)
def test_gateway_is_ended_and_started_anew(
    kafka: Kafka, client: Make, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(_setup(kafka))
    with _load(kafka, gateway, client, name) as load:
        load.goes_on()
        assert gateway.restart() == 0
        load.goes_on()


def test_connections_have_a_short_life(kafka: Kafka, driver: Make, start_gateway: Start, name: str) -> None:
    setup = replace(_setup(kafka), settings={"limits": {"maxConnectionAge": "2s"}})
    gateway = start_gateway(setup)
    with _load(kafka, gateway, driver, name) as load:
        before = _connections(gateway)
        wait_until("many new connections", lambda: _connections(gateway) > before + 9, seconds=30)
        load.goes_on()


def _setup(kafka: Kafka) -> Setup:
    return Setup(upstream(kafka)).open_to("writer", KEYS["writer"]).open_to("reader", KEYS["reader"])


def _quota(requests: int) -> Manifest:
    return {"name": "quota", "interact": [{"kafkaQuota": {"requests": requests}}]}


@contextmanager
def _load(kafka: Kafka, gateway: KafkaGateway, driver: Make, topic: str) -> Iterator[Load]:
    """Somebody writes and somebody reads; at the end each record is there once, and was read once."""
    direct = Confluent(Access(kafka.bootstrap()))
    direct.create_topic(topic, partitions=3)
    reader = driver(_as(gateway, "reader")).member(topic, f"{topic}-group")
    with reader as seen:
        with Writer(_as(gateway, "writer"), topic) as writer:
            yield Load(writer, seen)
        writer.check()
        seen.wait("everything", lambda seen: len(seen.values) >= len(writer.written))
    assert sorted(direct.consume(topic, len(writer.written))) == sorted(writer.written)
    assert sum(direct.ends(topic).values()) == len(writer.written)
    assert sorted(seen.values) == sorted(writer.written)


def _as(gateway: KafkaGateway, user: str) -> Access:
    return replace(gateway.access, mechanism="SCRAM-SHA-256", username=user, password=KEYS[user])


def _connections(gateway: KafkaGateway) -> float:
    return gateway.running.metric("penstock_kafka_connections_total")


def _paused(gateway: KafkaGateway) -> float:
    return gateway.running.metric("penstock_kafka_refused_total", reason="SUBSCRIPTION_PAUSED")


def _closed(gateway: KafkaGateway) -> list[str]:
    """What the gateway says of connections that it has closed."""
    return [line for line in gateway.running.err.all if "is closed" in line]


def _attempts_until(gateway: KafkaGateway, is_let_in: bool) -> int:
    """How often a client of the other subscription came until it was let in, or was not any more."""
    attempts = 0

    def is_so() -> bool:
        nonlocal attempts
        attempts += 1
        with raw_client(gateway.access.bootstrap) as client:
            return _is_let_in(client) == is_let_in

    wait_until("the change", is_so)
    return attempts


def _is_let_in(client: RawClient) -> bool:
    client.ask("SaslHandshake", 1, {"Mechanism": "PLAIN"})
    told = client.ask("SaslAuthenticate", 2, {"AuthBytes": f"\0other\0{KEYS['other']}".encode()})
    return bool(told["ErrorCode"] == 0)
