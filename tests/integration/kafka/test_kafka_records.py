"""Records that steps leave out, change or refuse, as real clients see it."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from driver_confluent import Confluent
from driver_programs import Java
from kafka_access import PATIENCE, Access, ClientError, Driver
from kafka_gateway import KafkaGateway, Setup, upstream
from kafka_scenarios import numbered, share_from_the_start

from e2e.components.kafka import Kafka

Make = Callable[[Access], Driver]
Start = Callable[..., KafkaGateway]


def flow(phase: str, *steps: dict[str, Any], topics: tuple[str, ...] = ()) -> tuple[dict[str, Any]]:
    return ({"match": {"topics": list(topics)}, phase: list(steps)},)


def keep(expression: str) -> dict[str, Any]:
    return {"kafkaRecordFilter": {"keep": f"{{#{expression}}}"}}


def test_client_reads_on_past_records_and_whole_batches_that_are_left_out(
    kafka: Kafka, driver: Make, start_gateway: Start, name: str
) -> None:
    direct = driver(Access(kafka.bootstrap("PLAINTEXT")))
    direct.create_topic(name)
    flows = flow("subscribe", keep("message.value.startswith('value-1')"), topics=(name,))
    gateway = start_gateway(Setup(upstream(kafka), flows=flows))
    direct.produce(name, numbered(20))
    direct.produce(name, numbered(20, start=200))
    direct.produce(name, ["value-1-last"])
    wanted = [value for value in numbered(20) if value.startswith("value-1")] + ["value-1-last"]
    assert driver(gateway.access).consume(name, len(wanted)) == wanted


def test_client_reads_committed_records_that_are_left(
    kafka: Kafka, driver: Make, start_gateway: Start, name: str
) -> None:
    flows = flow("subscribe", keep("message.value != 'value-1' and message.value != 'value-3'"))
    through = driver(start_gateway(Setup(upstream(kafka), flows=flows)).access)
    through.create_topic(name)
    through.transact(name, numbered(3), f"{name}-tx", commit=True)
    through.transact(name, numbered(3, start=100), f"{name}-tx", commit=False)
    through.transact(name, ["value-3"], f"{name}-tx", commit=True)
    through.transact(name, ["value-4"], f"{name}-tx", commit=True)
    assert through.consume(name, 3, committed=True) == ["value-0", "value-2", "value-4"]


def test_client_writes_what_a_step_makes_of_it_and_is_told_what_is_refused(
    kafka: Kafka, driver: Make, start_gateway: Start, name: str
) -> None:
    transform = {"kafkaTransform": {"value": "<{#message.value}>", "setHeaders": {"via": "{#api.name}"}}}
    flows = flow("publish", keep("message.value != 'bad'"), transform)
    through = driver(start_gateway(Setup(upstream(kafka), flows=flows)).access)
    through.create_topic(name)
    assert len(through.produce(name, numbered(5))) == 5
    with pytest.raises(ClientError) as refused:
        through.produce(name, ["bad"])
    assert refused.value.name == "POLICY_VIOLATION"
    direct = driver(Access(kafka.bootstrap("PLAINTEXT")))
    assert direct.consume(name, 5) == [f"<{value}>" for value in numbered(5)]


def test_share_group_gets_each_record_that_is_left_once_and_as_changed(
    kafka: Kafka, start_gateway: Start, name: str
) -> None:
    steps = keep("message.value != 'value-3'"), {"kafkaTransform": {"value": "<{#message.value}>"}}
    java = Java(start_gateway(Setup(upstream(kafka), flows=flow("subscribe", *steps))).access)
    java.create_topic(name)
    share_from_the_start(kafka, f"{name}-group")
    with java.share_member(name, f"{name}-group") as member:
        for values in (numbered(5), ["value-3"], ["value-5"]):
            java.produce(name, values)
        member.wait("all that is left", lambda seen: "<value-5>" in seen.values)
        assert member.values == [f"<{value}>" for value in numbered(6) if value != "value-3"]
    with java.share_member(name, f"{name}-group") as member:
        java.produce(name, ["value-6"])
        member.wait("a new record", lambda seen: bool(seen.values))
        assert member.values == ["<value-6>"]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_records_that_a_step_changes_are_taken_by_brokers_and_read(
    kafka: Kafka, start_gateway: Start, name: str, codec: str
) -> None:
    readers = [make(Access(kafka.bootstrap("PLAINTEXT"))) for make in (Confluent, Java)]
    readers[0].create_topic(name)
    flows = flow("publish", {"kafkaTransform": {"setHeaders": {"via": "gateway"}}})
    bootstrap = start_gateway(Setup(upstream(kafka), flows=flows)).access.bootstrap
    values = [f"{value} {'again and again ' * 200}" for value in numbered(100)]
    told: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "linger.ms": 50})
    for value in values:
        producer.produce(name, value.encode(), on_delivery=lambda error, _: told.append(error))
    assert producer.flush(PATIENCE) == 0
    assert told == [None] * 100
    for reader in readers:
        assert reader.consume(name, 100) == values
