"""A client that writes numbered records, all the time, and is told of each where it is or why not."""

from __future__ import annotations

import threading
from types import TracebackType

from confluent_kafka import KafkaError, Message, Producer
from kafka_access import PATIENCE, Access

_PACE = 0.005
"""Seconds between two records."""


class Writer:
    """Writes to a topic while the block runs, as an idempotent producer; `written` was acknowledged."""

    def __init__(self, access: Access, topic: str) -> None:
        self._topic = topic
        self._producer = Producer(
            {
                "bootstrap.servers": access.bootstrap,
                "security.protocol": access.protocol,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 0,
                "log_level": 0,
                "error_cb": lambda _: None,
                "sasl.mechanisms": access.mechanism,
                "sasl.username": access.username,
                "sasl.password": access.password,
            }
        )
        self.written: list[str] = []
        self.errors: list[str] = []
        self._count = 0
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        self.more()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the producer does not end"

    def more(self, count: int = 100) -> None:
        """Returns when so many records more are there."""
        with self._changed:
            wanted = len(self.written) + count
            done = self._changed.wait_for(lambda: len(self.written) >= wanted or self.errors, PATIENCE)
            assert done and not self.errors, f"{len(self.written)} of {wanted} records: {self.errors}"

    def _run(self) -> None:
        while not self._stopped.wait(_PACE):
            self._producer.produce(self._topic, f"value-{self._count}".encode(), on_delivery=self._told)
            self._count += 1
            self._producer.poll(0)
        self._producer.flush(PATIENCE)

    def _told(self, error: KafkaError | None, record: Message) -> None:
        with self._changed:
            if error is None:
                self.written.append(record.value().decode())
            else:
                self.errors.append(error.name())
            self._changed.notify_all()

    def check(self) -> None:
        """All that was handed to the producer is there."""
        assert not self.errors
        assert sorted(self.written) == sorted(f"value-{number}" for number in range(self._count))
