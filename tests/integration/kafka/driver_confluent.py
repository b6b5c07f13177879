"""confluent-kafka, that is librdkafka, as a driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic
from kafka_access import PATIENCE, Access, ClientError, GroupProtocol, Member, Placed, Seen


def _named(error: KafkaError) -> ClientError:
    return ClientError(error.name(), error.str())


def _result(future: Future[Any]) -> Any:
    try:
        return future.result(PATIENCE)
    except KafkaException as error:
        raise _named(error.args[0]) from error


class Confluent:
    """confluent-kafka; knows both protocols of groups."""

    name = "librdkafka"

    def __init__(self, access: Access) -> None:
        self.access = access

    def produce(self, topic: str, values: Sequence[str], acks: str = "all") -> list[Placed]:
        told: list[tuple[KafkaError | None, Message]] = []
        one = Producer(self._options() | {"acks": acks, "enable.idempotence": acks == "all"})
        for value in values:
            one.produce(topic, value.encode(), on_delivery=lambda error, at: told.append((error, at)))
        assert one.flush(PATIENCE) == 0, "librdkafka still has records"
        for error, _ in told:
            if error is not None:
                raise _named(error)
        return [Placed(at.partition(), at.offset()) for _, at in told]

    def consume(self, topic: str, count: int, *, committed: bool = False) -> list[str]:
        level = "read_committed" if committed else "read_uncommitted"
        one = Consumer(self._options() | {"group.id": f"{topic}-reader", "isolation.level": level})
        try:
            partitions = one.list_topics(topic, PATIENCE).topics[topic]
            if partitions.error is not None:
                raise _named(partitions.error)
            one.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions.partitions])
            return _read(one, count)
        finally:
            one.close()

    def member(self, topic: str, group: str, protocol: GroupProtocol = "classic") -> Member:
        options = self._options() | {
            "group.id": group,
            "auto.offset.reset": "earliest",
            "group.protocol": protocol,
        }
        if protocol == "classic":
            options |= {"heartbeat.interval.ms": 300, "partition.assignment.strategy": "cooperative-sticky"}

        def run(seen: Seen, stopped: threading.Event) -> None:
            one = Consumer(options)
            one.subscribe([topic])
            try:
                while not stopped.is_set():
                    records = one.consume(500, 0.1)
                    seen.received([_value(record) for record in records])
                    now = frozenset(place.partition for place in one.assignment())
                    if now != seen.partitions:
                        seen.assigned(sorted(now))
            finally:
                one.close()

        return Member(run)

    def ends(self, topic: str) -> dict[int, int]:
        """The offset behind the last record of each partition."""
        one = Consumer(self._options() | {"group.id": f"{topic}-reader"})
        try:
            numbers = one.list_topics(topic, PATIENCE).topics[topic].partitions
            places = [TopicPartition(topic, number) for number in numbers]
            return {place.partition: one.get_watermark_offsets(place, PATIENCE)[1] for place in places}
        finally:
            one.close()

    def transact(self, topic: str, values: Sequence[str], transactional_id: str, *, commit: bool) -> None:
        one = Producer(self._options() | {"transactional.id": transactional_id})
        try:
            one.init_transactions(PATIENCE)
            one.begin_transaction()
            for value in values:
                one.produce(topic, value.encode())
            one.flush(PATIENCE)
            (one.commit_transaction if commit else one.abort_transaction)(PATIENCE)
        except KafkaException as error:
            raise _named(error.args[0]) from error

    def create_topic(self, topic: str, partitions: int = 1) -> None:
        admin = self._admin()
        _result(admin.create_topics([NewTopic(topic, partitions, -1)])[topic])

    def delete_topic(self, topic: str) -> None:
        admin = self._admin()
        _result(admin.delete_topics([topic])[topic])

    def topics(self) -> set[str]:
        return {name for name in self._admin().list_topics(timeout=PATIENCE).topics if name[:2] != "__"}

    def leaders(self, topic: str) -> dict[int, str]:
        found = self._admin().list_topics(topic, PATIENCE)
        if found.topics[topic].error is not None:
            raise _named(found.topics[topic].error)
        nodes = {one.id: f"{one.host}:{one.port}" for one in found.brokers.values()}
        return {number: nodes[one.leader] for number, one in found.topics[topic].partitions.items()}

    def nodes(self) -> set[str]:
        admin = self._admin()
        found = _result(admin.describe_cluster())
        return {f"{one.host}:{one.port}" for one in found.nodes}

    def configs(self, topic: str) -> dict[str, str | None]:
        admin = self._admin()
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        found = _result(admin.describe_configs([resource])[resource])
        return {name: entry.value for name, entry in found.items()}

    def alter_config(self, topic: str, name: str, value: str) -> None:
        admin = self._admin()
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        _result(admin.incremental_alter_configs([resource])[resource])

    def group_state(self, group: str) -> str:
        admin = self._admin()
        return _result(admin.describe_consumer_groups([group])[group]).state.name.lower()

    def groups(self) -> set[str]:
        admin = self._admin()
        return {one.group_id for one in _result(admin.list_consumer_groups()).valid}

    def _admin(self) -> AdminClient:
        # It must be held while a future of it is waited for: it ends when nothing refers to it.
        return AdminClient(self._options())

    def _options(self) -> dict[str, Any]:
        access = self.access
        options: dict[str, Any] = {
            "bootstrap.servers": access.bootstrap,
            "security.protocol": access.protocol,
            "log_level": 0,
            "error_cb": lambda _: None,
        }
        if access.ca:
            options["ssl.ca.location"] = str(access.ca)
        if access.identity:
            options["ssl.certificate.location"] = str(access.identity.certificate)
            options["ssl.key.location"] = str(access.identity.key)
        if access.mechanism:
            options["sasl.mechanisms"] = access.mechanism
        if access.mechanism == "OAUTHBEARER":
            options["oauth_cb"] = lambda _: (access.password, time.time() + 300)
        elif access.mechanism:
            options |= {"sasl.username": access.username, "sasl.password": access.password}
        return options


def _read(one: Consumer, count: int) -> list[str]:
    found: list[str] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} records"
        found += [_value(record) for record in one.consume(count - len(found), 1.0)]
    return found


def _value(record: Message) -> str:
    if record.error() is not None:
        raise _named(record.error())
    return record.value().decode()
