"""Records through a step, as a session runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.record_flows import RecordFlow, RecordStep
from gateway_runtime.kafka.record_steps import RecordSteps

TOPIC = "orders"
START = 1_700_000_000_000


@dataclass(frozen=True)
class Given:
    """A record that is sent, or one that arrived."""

    value: bytes | None = None
    key: bytes | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)


class Session:
    """A client with one step on its records."""

    def __init__(self, step: RecordStep, exchange: Exchange) -> None:
        flows = [RecordFlow((), (step,))]
        self._steps = RecordSteps(exchange, flows, flows)

    def read(self, *records: Given) -> list[Given]:
        """What the client gets of these records."""
        partition = {"PartitionIndex": 1, "ErrorCode": 0, "Records": _batch(records)}
        self._steps.subscribe({"Responses": [{"Topic": TOPIC, "Partitions": [partition]}]})
        assert partition["ErrorCode"] == 0
        return _records(partition["Records"])

    def send(self, *records: Given) -> list[Given] | tuple[int, str]:
        """What the broker gets of these records, or why it gets none."""
        message = self._message(records)
        refused = self._steps.publish(message).refused
        if refused:
            return refused[0].code, refused[0].message
        return _records(message["TopicData"][0]["PartitionData"][0]["Records"])

    async def send_once_ready(self, *records: Given) -> list[Given] | tuple[int, str]:
        """As `send`, once what has to be waited for is there."""
        waiting = self._steps.prepare(self._message(records))
        if waiting is not None:
            await waiting
        return self.send(*records)

    def _message(self, records: tuple[Given, ...]) -> dict[str, Any]:
        partition = {"Index": 1, "Records": _batch(records)}
        return {"TopicData": [{"Name": TOPIC, "PartitionData": [partition]}]}


def _batch(records: tuple[Given, ...]) -> memoryview:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=1, is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=1 << 20,
    )  # fmt: skip
    for offset, one in enumerate(records):
        builder.append(offset, START + offset, one.key, one.value, one.headers)
    return memoryview(bytes(builder.build()))


def _records(data: memoryview) -> list[Given]:
    found = DefaultRecordBatch(bytes(data))
    assert found.validate_crc()
    return [Given(one.value, one.key, list(one.headers)) for one in found]
