"""The records of one partition through steps: batches are unpacked, changed, and packed again.

A batch in which nothing changes goes on as it came, byte for byte.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.error_codes import POLICY_VIOLATION
from gateway_runtime.kafka.record_flows import Refused, Steps
from gateway_runtime.kafka.record_message import RecordMessage
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.records import OldFormatError, RecordBatch, read_batches
from gateway_runtime.protocols.kafka.records_record import Record

CORRUPT_MESSAGE: Final = 2
UNSUPPORTED_FOR_MESSAGE_FORMAT: Final = 43

_LOG: Final = logging.getLogger(__name__)

Kept = Callable[[RecordBatch], list[Record]]
"""The records of a batch that go on, as they are now."""


class RefusedError(Exception):
    """A partition does not go on; `index` is of the record in its batch that is why, where one is."""

    def __init__(self, refused: Refused, index: int | None = None) -> None:
        super().__init__(refused.message)
        self.refused = refused
        self.index = index


class PartitionRun:
    """Steps for one partition of a topic."""

    __slots__ = ("_exchange", "_partition", "_steps", "_topic")

    def __init__(self, exchange: Exchange, steps: Steps, topic: str, partition: int) -> None:
        self._exchange = exchange
        self._steps = steps
        self._topic = topic
        self._partition = partition

    def published(self, data: memoryview) -> bytes | None:
        """What goes to the broker; None: as it came. Raises RefusedError where a record may not go on."""
        return _rewritten(_batches(data, is_cut=False), self._publish)

    def subscribed(self, data: memoryview) -> bytes | None:
        """What goes to the client, without what it may not see and what is cut off; None: as it came.

        Raises RefusedError for what cannot be looked into.
        """
        batches = _batches(data, is_cut=True)
        edited = _rewritten(batches, self._subscribe)
        if edited is not None:
            return edited
        # The beginning of a batch that is cut off would show records that no step has seen.
        whole = sum(len(batch.data) for batch in batches)
        return None if whole == len(data) else bytes(data[:whole])

    def records(self, data: memoryview) -> Iterator[RecordMessage]:
        """All that is to be published, one after the other in the same object; nothing of what is broken."""
        try:
            for batch in read_batches(data):
                message = self._message(batch, True)
                for record in batch.records():
                    message.turn_to(record)
                    yield message
        except KafkaFormatError:
            return

    def _message(self, batch: RecordBatch, is_published: bool) -> RecordMessage:
        message = RecordMessage(self._topic, self._partition, batch, is_published)
        self._exchange.message = message
        return message

    def _publish(self, batch: RecordBatch) -> list[Record]:
        message = self._message(batch, True)
        records = batch.records()
        for index, record in enumerate(records):
            message.turn_to(record)
            refused = self._run(message)
            if refused is not None:
                raise RefusedError(refused, index)
        return records

    def _subscribe(self, batch: RecordBatch) -> list[Record]:
        message = self._message(batch, False)
        kept = []
        for record in batch.records():
            message.turn_to(record)
            if self._run(message) is None:
                kept.append(record)
        return kept

    def _run(self, message: RecordMessage) -> Refused | None:
        try:
            for step in self._steps:
                refused = step.run(self._exchange, message)
                if refused is not None:
                    return refused
        except Exception as error:  # expressions and plug-ins: whatever fails lets nothing through
            _LOG.debug("a step failed on a record of %s: %r", self._topic, error)
            return Refused(POLICY_VIOLATION, "A policy of the gateway failed on a record.")
        return None


def _batches(data: memoryview, is_cut: bool) -> list[RecordBatch]:
    try:
        return read_batches(data, is_cut)
    except OldFormatError as error:
        raise RefusedError(
            Refused(UNSUPPORTED_FOR_MESSAGE_FORMAT, f"The gateway's policies: {error}.")
        ) from None
    except KafkaFormatError as error:
        raise RefusedError(Refused(CORRUPT_MESSAGE, f"The records are broken: {error}.")) from None


def _rewritten(batches: list[RecordBatch], kept: Kept) -> bytes | None:
    parts: list[bytes | memoryview] = []
    is_edited = False
    for batch in batches:
        edited = None if batch.is_control else _rewritten_batch(batch, kept)
        parts.append(batch.data if edited is None else edited)
        is_edited = is_edited or edited is not None
    return b"".join(parts) if is_edited else None


def _rewritten_batch(batch: RecordBatch, kept: Kept) -> bytes | None:
    try:
        records = kept(batch)
    except KafkaFormatError as error:
        raise RefusedError(Refused(CORRUPT_MESSAGE, f"The records are broken: {error}.")) from None
    if len(records) == batch.count and not any(record.is_changed for record in records):
        return None
    return batch.with_records(records)
