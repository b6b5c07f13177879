"""kafka-python as a driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    TopicPartition,
)
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError, for_code
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka_access import PATIENCE, Access, ClientError, GroupProtocol, Member, Placed, Seen


class _Token(AbstractTokenProvider):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def token(self) -> str:
        return self._text


class _Listener(ConsumerRebalanceListener):
    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def on_partitions_revoked(self, revoked: Any) -> None:
        self._seen.assigned([])

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._seen.assigned([one.partition for one in assigned])


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        name = getattr(error, "message", None) or type(error).__name__
        raise ClientError(name, str(error)) from error


class KafkaPython:
    """kafka-python; members use classic groups."""

    name = "kafka-python"

    def __init__(self, access: Access) -> None:
        self.access = access

    def produce(self, topic: str, values: Sequence[str], acks: str = "all") -> list[Placed]:
        level = acks if acks == "all" else int(acks)
        one = KafkaProducer(**self._options(), acks=level, enable_idempotence=acks == "all")
        with _named(), _closed(one):
            futures = [one.send(topic, value.encode()) for value in values]
            found = [future.get(PATIENCE) for future in futures]
        return [Placed(at.partition, at.offset) for at in found]

    def consume(self, topic: str, count: int, *, committed: bool = False) -> list[str]:
        level = "read_committed" if committed else "read_uncommitted"
        one = KafkaConsumer(**self._options(), auto_offset_reset="earliest", isolation_level=level)
        with _named(), _closed(one):
            partitions = one.partitions_for_topic(topic) or set()
            one.assign([TopicPartition(topic, number) for number in partitions])
            return _read(one, count)

    def member(self, topic: str, group: str, protocol: GroupProtocol = "classic") -> Member:
        assert protocol == "classic"

        def run(seen: Seen, stopped: threading.Event) -> None:
            options = {"group_id": group, "auto_offset_reset": "earliest", "heartbeat_interval_ms": 300}
            one = KafkaConsumer(**self._options(), **options)
            with _closed(one):
                # Else it joins twice, the second time when it knows the topic.
                one.partitions_for_topic(topic)
                one.subscribe([topic], listener=_Listener(seen))
                while not stopped.is_set():
                    # Long: an answer to SyncGroup between two polls is lost, and the member without anything.
                    seen.received(_values(one.poll(1000)))

        return Member(run)

    def transact(self, topic: str, values: Sequence[str], transactional_id: str, *, commit: bool) -> None:
        one = KafkaProducer(**self._options(), transactional_id=transactional_id)
        with _named(), _closed(one):
            one.init_transactions()
            one.begin_transaction()
            for value in values:
                one.send(topic, value.encode()).get(PATIENCE)
            (one.commit_transaction if commit else one.abort_transaction)()

    def create_topic(self, topic: str, partitions: int = 1) -> None:
        with self._admin() as admin:
            admin.create_topics([NewTopic(topic, partitions, -1)])

    def delete_topic(self, topic: str) -> None:
        with self._admin() as admin:
            admin.delete_topics([topic])

    def topics(self) -> set[str]:
        with self._admin() as admin:
            return {name for name in admin.list_topics() if not name.startswith("__")}

    def leaders(self, topic: str) -> dict[int, str]:
        with self._admin() as admin:
            nodes = _nodes(admin.describe_cluster())
            (found,) = admin.describe_topics([topic])
            _check(found["error_code"])
            return {one["partition_index"]: nodes[one["leader_id"]] for one in found["partitions"]}

    def nodes(self) -> set[str]:
        with self._admin() as admin:
            return set(_nodes(admin.describe_cluster()).values())

    def configs(self, topic: str) -> dict[str, str | None]:
        with self._admin() as admin:
            resource = ConfigResource(ConfigResourceType.TOPIC, topic)
            found = admin.describe_configs([resource], config_filter="all")
            return {name: entry["value"] for name, entry in found["topic"][topic].items()}

    def alter_config(self, topic: str, name: str, value: str) -> None:
        with self._admin() as admin:
            resource = ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})
            # It would ask first which settings there are, and say of an error there that there are none.
            answer = admin.alter_configs([resource], raise_on_unknown=False)["topic"][topic]
            _check_text(answer)

    def group_state(self, group: str) -> str:
        with self._admin() as admin:
            found: dict[str, str] = admin.describe_groups([group])[group]
            _check_text(found["error"])
            return found["group_state"].lower()

    def groups(self) -> set[str]:
        with self._admin() as admin:
            return {one["group_id"] for one in admin.list_groups()}

    @contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        with _named():
            admin = KafkaAdminClient(**self._options())
            with _closed(admin):
                yield admin

    def _options(self) -> dict[str, Any]:
        access = self.access
        options: dict[str, Any] = {
            "bootstrap_servers": access.bootstrap,
            "security_protocol": access.protocol,
        }
        if access.ca:
            options["ssl_cafile"] = str(access.ca)
        if access.identity:
            options["ssl_certfile"] = str(access.identity.certificate)
            options["ssl_keyfile"] = str(access.identity.key)
        if access.mechanism:
            options["sasl_mechanism"] = access.mechanism
        if access.mechanism == "OAUTHBEARER":
            options["sasl_oauth_token_provider"] = _Token(access.password)
        elif access.mechanism:
            options |= {"sasl_plain_username": access.username, "sasl_plain_password": access.password}
        return options


@contextmanager
def _closed(client: Any) -> Iterator[None]:
    try:
        yield
    finally:
        client.close()


def _read(one: KafkaConsumer, count: int) -> list[str]:
    found: list[str] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} records"
        found += _values(one.poll(1000, max_records=count - len(found)))
    return found


def _values(batches: dict[TopicPartition, list[Any]]) -> list[str]:
    return [record.value.decode() for batch in batches.values() for record in batch]


def _check(code: int) -> None:
    if code:
        raise ClientError(for_code(code).message)


def _check_text(told: str | None) -> None:
    if told not in (None, "OK"):
        raise ClientError(str(told))


def _nodes(cluster: dict[str, Any]) -> dict[int, str]:
    return {one["broker_id"]: f"{one['host']}:{one['port']}" for one in cluster["brokers"]}
