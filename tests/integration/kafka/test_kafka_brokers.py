"""Brokers that die, come back and hand over their leadership while clients work through the gateway."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Message, Producer
from driver_confluent import Confluent
from driver_programs import Java
from kafka_access import PATIENCE, Access
from kafka_gateway import HOST, KafkaGateway, Setup, upstream
from kafka_scenarios import numbered
from raw_client import ClosedError, raw_client

from e2e.components.kafka import Kafka

Start = Callable[..., KafkaGateway]
VICTIM = 2


@pytest.fixture
def whole(kafka: Kafka) -> Iterator[None]:
    """All brokers run again at the end, whatever happens."""
    yield
    for broker in kafka.places:
        if not kafka.runs(broker):
            kafka.start(broker)


class Load:
    """An idempotent producer with acks=all that sends until it is stopped."""

    def __init__(self, access: Access, topic: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": access.bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 2,
                "log_level": 0,
                "error_cb": lambda _: None,
            }
        )
        self._topic = topic
        self._stopped = threading.Event()
        self._more = threading.Condition()
        self.sent = 0
        self.acknowledged = 0
        self.failed: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(0.001):
            self._producer.produce(self._topic, str(self.sent).encode(), on_delivery=self._told)
            self.sent += 1
            self._producer.poll(0)

    def _told(self, error: object, _: Message) -> None:
        with self._more:
            if error is not None:
                self.failed.append(str(error))
            self.acknowledged += 1
            self._more.notify_all()

    def wait(self, count: int) -> None:
        """Wait for so many acknowledgements more."""
        with self._more:
            wanted = self.acknowledged + count
            assert self._more.wait_for(lambda: self.acknowledged >= wanted, PATIENCE)

    def stop(self) -> list[str]:
        """All values that were sent and acknowledged."""
        self._stopped.set()
        self._thread.join()
        assert self._producer.flush(PATIENCE) == 0
        assert self.failed == []
        return [str(number) for number in range(self.sent)]


@pytest.mark.usefixtures("whole")
def test_killed_and_restarted_broker_loses_and_doubles_nothing(
    kafka: Kafka, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(kafka)))
    Confluent(gateway.access).create_topic(name, partitions=6)
    load = Load(gateway.access, name)
    load.wait(200)
    kafka.kill(VICTIM)
    load.wait(500)
    kafka.start(VICTIM)
    load.wait(500)
    sent = load.stop()
    read = Counter(Confluent(gateway.access).consume(name, len(sent)))
    assert read == Counter(sent)


@pytest.mark.usefixtures("whole")
def test_leaders_that_move_are_found_at_the_gateway(kafka: Kafka, start_gateway: Start, name: str) -> None:
    gateway = start_gateway(Setup(upstream(kafka)))
    java = Java(gateway.access)
    java.create_topic(name, partitions=3)
    with java.member(name, f"{name}-group") as member:
        member.wait("all partitions", lambda seen: len(seen.partitions) == 3)
        kafka.shut_down(VICTIM)
        java.produce(name, numbered(30))
        member.wait("all records", lambda seen: {*seen.values} == {*numbered(30)})
        assert set(java.leaders(name).values()) <= gateway.nodes
    kafka.start(VICTIM)
    assert java.nodes() == gateway.nodes


@pytest.mark.usefixtures("whole")
def test_broker_that_answers_nothing_costs_only_its_own_connections(
    kafka: Kafka, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(kafka)))
    client = Confluent(gateway.access)
    client.create_topic(name, partitions=3)
    kafka.freeze(VICTIM)
    try:
        assert sorted(client.produce(name, numbered(30)))
    finally:
        kafka.thaw(VICTIM)
    assert sorted(client.consume(name, 30)) == sorted(numbered(30))


@pytest.mark.usefixtures("whole")
def test_broker_that_leaves_the_gateways_own_question_open_loses_its_connection(
    kafka: Kafka, start_gateway: Start
) -> None:
    access = {
        "name": "access",
        "interact": [{"kafkaAcl": {"rules": [{"resource": "topic", "operations": ["All"]}]}}],
    }
    gateway = start_gateway(Setup(upstream(kafka), flows=(access,), timeouts={"response": "1s"}))
    unknown = {"Topics": [{"Name": None, "TopicId": bytes(range(16))}], "TimeoutMs": 1000}
    with raw_client(f"{HOST}:{gateway.port + VICTIM}") as client:
        assert client.ask("DeleteTopics", 6, unknown)["Responses"][0]["ErrorCode"]
        kafka.freeze(VICTIM)
        try:
            client.send("DeleteTopics", 6, unknown | {"Topics": [{"Name": None, "TopicId": bytes(16 * [7])}]})
            with pytest.raises(ClosedError):
                client.frame()
        finally:
            kafka.thaw(VICTIM)
