"""Record batches as other clients write and read them."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

Header = tuple[str, bytes | None]
START = 1_700_000_000_000


@dataclass(frozen=True)
class Given:
    """A record to write, or one that was read."""

    key: bytes | None = None
    value: bytes | None = None
    headers: list[Header] = field(default_factory=list)
    timestamp: int = START
    offset: int = 0


def batch(*records: Given, codec: int = 0, **fields: int) -> bytes:
    """A batch with the format 2, by aiokafka."""
    given = {"producer_id": 7, "producer_epoch": 3, "base_sequence": 11, "is_transactional": 0} | fields
    builder = DefaultRecordBatchBuilder(magic=2, compression_type=codec, batch_size=1 << 24, **given)
    for offset, one in enumerate(records):
        builder.append(offset, one.timestamp, one.key, one.value, one.headers)
    return bytes(builder.build())


def values(*texts: str, codec: int = 0, **fields: int) -> bytes:
    """A batch with these values."""
    return batch(*[Given(value=text.encode()) for text in texts], codec=codec, **fields)


def read(data: bytes | memoryview) -> list[Given]:
    """The records of one batch, by aiokafka."""
    found = DefaultRecordBatch(bytes(data))
    assert found.validate_crc()
    return [Given(one.key, one.value, list(one.headers), one.timestamp, one.offset) for one in found]
