"""Record batches of the format 2 to their records, and back with those that are left of them.

A batch that is rewritten keeps its offsets, timestamps, producer, sequence, flags and compression, as a
broker's compaction does; length, count and CRC follow its records.
https://kafka.apache.org/documentation/#recordbatch
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.records_compression import NONE, compress, decompress
from gateway_runtime.protocols.kafka.records_record import Record, read_records

MAX_UNPACKED: Final = 64 << 20
"""How large the records of one batch may become when they are unpacked, in bytes."""

_HEADER: Final = struct.Struct("!qiibIhiqqqhii")
_OUTER: Final = struct.Struct("!qi")
_CRC_AT: Final = 17
_CHECKED_FROM: Final = 21
_MAGIC_AT: Final = 16
_MAGIC: Final = 2
_COMPRESSION: Final = 0x07
_LOG_APPEND_TIME: Final = 0x08
_TRANSACTIONAL: Final = 0x10
_CONTROL: Final = 0x20


class OldFormatError(KafkaFormatError):
    """Records of the formats 0 and 1, which Kafka 4 writes no more."""


class CorruptBatchError(KafkaFormatError):
    """A batch whose CRC is not that of its bytes."""


class RecordBatch:
    """One batch, as it came."""

    __slots__ = ("_fields", "data")

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self._fields: tuple[int, ...] = _HEADER.unpack_from(data)

    @property
    def base_offset(self) -> int:
        """The offset of its first record."""
        return self._fields[0]

    @property
    def attributes(self) -> int:
        """Compression and flags."""
        return self._fields[5]

    @property
    def compression(self) -> int:
        """The codec (`records_compression`)."""
        return self.attributes & _COMPRESSION

    @property
    def is_control(self) -> bool:
        """Whether it marks the end of a transaction, and has no records of clients."""
        return bool(self.attributes & _CONTROL)

    @property
    def is_transactional(self) -> bool:
        """Whether it is part of a transaction."""
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def count(self) -> int:
        """How many records it says to have."""
        return self._fields[12]

    def timestamp_of(self, record: Record) -> int:
        """Milliseconds since the epoch: of the record, or of the batch where the broker sets it."""
        if self.attributes & _LOG_APPEND_TIME:
            return self._fields[8]
        return self._fields[7] + record.timestamp_delta

    def check(self) -> None:
        """Raises CorruptBatchError unless the CRC is right."""
        if _crc(self.data[_CHECKED_FROM:]) != self._fields[4]:
            raise CorruptBatchError("the CRC of a batch is wrong")

    def records(self, limit: int = MAX_UNPACKED) -> list[Record]:
        """Its records. Raises KafkaFormatError for what is broken, or larger than the limit."""
        self.check()
        payload = self.data[_HEADER.size :]
        return read_records(bytes(decompress(self.compression, payload, limit)), self.count)

    def with_records(self, records: Sequence[Record]) -> bytes:
        """The same batch with these of its records; it may have none, as a compacted one."""
        fields = list(self._fields)
        if not records:
            fields[5] &= ~_COMPRESSION
        codec = self.compression if records else NONE
        payload = compress(codec, b"".join([record.encode() for record in records]))
        fields[1] = _HEADER.size - _OUTER.size + len(payload)
        fields[12] = len(records)
        made = bytearray(_HEADER.pack(*fields) + payload)
        struct.pack_into("!I", made, _CRC_AT, _crc(memoryview(made)[_CHECKED_FROM:]))
        return bytes(made)


def read_batches(data: memoryview, is_cut: bool = False) -> list[RecordBatch]:
    """The batches of a partition. With `is_cut` the last may be cut off, as brokers do, and is left out.

    Raises OldFormatError for an old format, KafkaFormatError for what is broken.
    """
    batches: list[RecordBatch] = []
    position = 0
    while position < len(data):
        end = _end_of(data, position)
        if end > len(data):
            if is_cut:
                break
            raise KafkaFormatError("a batch ends too early")
        batches.append(_batch(data[position:end]))
        position = end
    return batches


def _end_of(data: memoryview, position: int) -> int:
    if position + _OUTER.size > len(data):
        return len(data) + 1
    _, length = _OUTER.unpack_from(data, position)
    if length <= 0:
        raise KafkaFormatError(f"a batch of {length} bytes")
    return position + _OUTER.size + int(length)


def _batch(data: memoryview) -> RecordBatch:
    if len(data) <= _MAGIC_AT:
        raise KafkaFormatError("a batch is shorter than its header")
    if data[_MAGIC_AT] < _MAGIC:
        raise OldFormatError(f"records of the format {data[_MAGIC_AT]} cannot be looked into")
    if data[_MAGIC_AT] != _MAGIC or len(data) < _HEADER.size:
        raise KafkaFormatError("a batch is shorter than its header, or of an unknown format")
    return RecordBatch(data)


def _crc(data: memoryview) -> int:
    # Only what looks into records pays for the library.
    import google_crc32c  # noqa: PLC0415

    return int(google_crc32c.value(bytes(data)))
