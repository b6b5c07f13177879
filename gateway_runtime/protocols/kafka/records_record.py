"""The bytes of a batch to its records and back: varints, key, value, headers.

https://kafka.apache.org/documentation/#record
"""

from __future__ import annotations

from typing import Final

from gateway_runtime.protocols.kafka.errors import KafkaFormatError

Header = tuple[str, bytes | None]

_MAX_VARINT: Final = 10
_TOO_LARGE: Final = 1 << 64
_TEXT_ERRORS: Final = "surrogateescape"
_ENDS: Final = "a record ends too early"


class Record:
    """One record. What is changed must be told by `changed`: else its bytes go on as they came."""

    __slots__ = ("_raw", "attributes", "headers", "key", "offset_delta", "timestamp_delta", "value")

    def __init__(self, key: bytes | None, value: bytes | None, headers: list[Header]) -> None:
        self.key = key
        self.value = value
        self.headers = headers
        self.attributes: int = 0
        self.timestamp_delta: int = 0
        self.offset_delta: int = 0
        self._raw: bytes | None = None

    def changed(self) -> None:
        """Key, value or headers are others now."""
        self._raw = None

    @property
    def is_changed(self) -> bool:
        """Whether it is not as it came."""
        return self._raw is None

    def encode(self) -> bytes:
        """Its bytes, behind their length."""
        if self._raw is not None:
            return self._raw
        body = bytearray((self.attributes,))
        write_varint(body, self.timestamp_delta)
        write_varint(body, self.offset_delta)
        _write_bytes(body, self.key)
        _write_bytes(body, self.value)
        write_varint(body, len(self.headers))
        for name, value in self.headers:
            _write_bytes(body, name.encode(errors=_TEXT_ERRORS))
            _write_bytes(body, value)
        head = bytearray()
        write_varint(head, len(body))
        return bytes(head + body)


def read_records(data: bytes, count: int) -> list[Record]:
    """All records of a batch. Raises KafkaFormatError unless there are exactly as many as it says."""
    if not 0 <= count <= len(data):
        raise KafkaFormatError(f"a batch of {len(data)} bytes cannot have {count} records")
    records: list[Record] = []
    position = 0
    for _ in range(count):
        record, position = _read_record(data, position)
        records.append(record)
    if position != len(data):
        raise KafkaFormatError(f"{len(data) - position} bytes behind the last record of a batch")
    return records


def _read_record(data: bytes, begin: int) -> tuple[Record, int]:
    length, position = read_varint(data, begin)
    end = position + length
    if length < 1 or end > len(data):
        raise KafkaFormatError(_ENDS)
    attributes = data[position]
    timestamp_delta, position = read_varint(data, position + 1)
    offset_delta, position = read_varint(data, position)
    key, position = _read_bytes(data, position, end)
    value, position = _read_bytes(data, position, end)
    headers, position = _read_headers(data, position, end)
    if position != end:
        raise KafkaFormatError("a record is not as long as it says")
    record = Record(key, value, headers)
    record.attributes = attributes
    record.timestamp_delta = timestamp_delta
    record.offset_delta = offset_delta
    record._raw = data[begin:end]
    return record, end


def _read_headers(data: bytes, position: int, end: int) -> tuple[list[Header], int]:
    count, position = read_varint(data, position)
    if not 0 <= count <= end - position:
        raise KafkaFormatError(f"a record cannot have {count} headers")
    headers: list[Header] = []
    for _ in range(count):
        name, position = _read_bytes(data, position, end)
        if name is None:
            raise KafkaFormatError("a record's header has no name")
        value, position = _read_bytes(data, position, end)
        headers.append((name.decode(errors=_TEXT_ERRORS), value))
    return headers, position


def _read_bytes(data: bytes, position: int, end: int) -> tuple[bytes | None, int]:
    length, position = read_varint(data, position)
    if length < 0:
        return None, position
    if position + length > end:
        raise KafkaFormatError(_ENDS)
    return data[position : position + length], position + length


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """A zigzag number of at most 64 bits, and where the next field begins."""
    value = shift = 0
    for place in range(position, min(position + _MAX_VARINT, len(data))):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80 and value < _TOO_LARGE:
            return (value >> 1) ^ -(value & 1), place + 1
        shift += 7
    raise KafkaFormatError(_ENDS if position + _MAX_VARINT > len(data) else "a number has more than 64 bits")


def write_varint(target: bytearray, value: int) -> None:
    """Append a number as `read_varint` reads it."""
    rest = (value << 1) ^ (value >> 63)
    while rest >= 0x80:
        target.append((rest & 0x7F) | 0x80)
        rest >>= 7
    target.append(rest)


def _write_bytes(target: bytearray, value: bytes | None) -> None:
    if value is None:
        target.append(1)
        return
    write_varint(target, len(value))
    target += value
