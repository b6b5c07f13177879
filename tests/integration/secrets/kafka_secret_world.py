"""What the tests of Kafka endpoints share: users of a real broker, who write through a gateway."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from e2e.components.kafka import Kafka
from e2e.components.ports import ADDRESS

PATIENCE = 60.0
_PAUSE = 0.005
_ESTABLISHED = "01"
_ROUNDS = 4096


def set_password(kafka: Kafka, user: str, password: str) -> None:
    """Gives a user a password, and takes the one before."""
    kind = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ROUNDS)
    change = UserScramCredentialUpsertion(user, kind, password.encode())
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap()})
    for future in admin.alter_user_scram_credentials([change]).values():
        future.result(PATIENCE)


def make_topic(kafka: Kafka, name: str) -> None:
    """Makes a topic of one partition, so that its records have one order."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap()})
    for future in admin.create_topics([NewTopic(name, 1)]).values():
        future.result(PATIENCE)


def allow_alone(kafka: Kafka, user: str, topic: str) -> None:
    """Has a topic of this user and nobody else."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap()})
    rule = AclBinding(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation.ALL,
        AclPermissionType.ALLOW,
    )
    for future in admin.create_acls([rule]).values():
        future.result(PATIENCE)


def values(kafka: Kafka, topic: str) -> list[int]:
    """All that is in a topic, in its order."""
    one = Consumer({"bootstrap.servers": kafka.bootstrap(), "group.id": "unused"})
    try:
        end = one.get_watermark_offsets(TopicPartition(topic, 0), PATIENCE)[1]
        one.assign([TopicPartition(topic, 0, 0)])
        records = [one.poll(PATIENCE) for _ in range(end)]
        return [int(record.value()) for record in records]
    finally:
        one.close()


def connections_to(port: int) -> set[int]:
    """The local ports of this machine's connections to one of its own."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    there = f":{port:04X}"
    return {
        int(line[1].rpartition(":")[2], 16)
        for line in lines
        if line[3] == _ESTABLISHED and line[2].endswith(there)
    }


class Writer:
    """A client with retries and without duplicates; `failures` is what it was told of records not written."""

    def __init__(self, port: int, topic: str) -> None:
        options = {
            "bootstrap.servers": f"{ADDRESS}:{port}",
            "enable.idempotence": True,
            "linger.ms": 1,
            "log_level": 2,
        }
        self._client = Producer(options)
        self._topic = topic
        self._changed = threading.Condition()
        self._over = threading.Event()
        self.written = 0
        self.failures: list[str] = []

    def wait_for(self, count: int) -> None:
        """Returns when so many records more are acknowledged."""
        with self._changed:
            wanted = self.written + count
            there = self._changed.wait_for(lambda: self.written >= wanted or self.failures, PATIENCE)
            assert there, f"{self.written} records, not {wanted}"

    def run(self) -> None:
        """Writes numbers until `stop`."""
        try:
            self._write()
        except KafkaException as error:
            self._told(error.args[0])

    def stop(self) -> None:
        """Lets `run` end when all is acknowledged."""
        self._over.set()

    def _write(self) -> None:
        number = 0
        while not self._over.wait(_PAUSE):
            self._client.produce(self._topic, str(number), on_delivery=self._told)
            self._client.poll(0)
            number += 1
        if self._client.flush(PATIENCE):
            self.failures.append("not all is acknowledged at the end")

    def _told(self, error: KafkaError | None, _: Message | None = None) -> None:
        with self._changed:
            if error is None:
                self.written += 1
            else:
                self.failures.append(str(error))
            self._changed.notify_all()


@contextmanager
def writer(port: int, topic: str) -> Iterator[Writer]:
    """A client that writes 0, 1, 2, ... to a topic while the block runs."""
    made = Writer(port, topic)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()
