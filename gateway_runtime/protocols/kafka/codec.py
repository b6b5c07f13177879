"""Bytes of one struct to a dict and back, by a plan (https://kafka.apache.org/protocol).

Parsed strictly: every length is checked against what is there, text must be UTF-8, and a message has no more
than `MAX_ELEMENTS` array elements, so that what it takes in memory is bounded however many bytes it has. This
is the definition; `_codec.pyx` does the same in C where it is compiled; a test holds one to the other.
"""

from __future__ import annotations

import mmap
import struct
from typing import Any, Final

from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.plan import (
    ARRAY,
    BOOL,
    BYTES,
    COMPACT_ARRAY,
    COMPACT_BYTES,
    COMPACT_STRING,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    NULLABLE_STRUCT,
    STRING,
    STRUCT,
    UINT16,
    UINT32,
    UUID,
    FieldPlan,
    Plan,
)

Message = dict[str, Any]
Buffer = bytes | bytearray | memoryview

MAX_ELEMENTS: Final = 1 << 18
TAGGED: Final = "_tagged"
"""Where tagged fields are kept that the schema does not know: pairs of tag and bytes."""
INLINE: Final = 2048
"""Bytes: a longer value is handed on as a view of what it came in."""

_FIXED: Final = {
    BOOL: struct.Struct(">?"),
    INT8: struct.Struct(">b"),
    INT16: struct.Struct(">h"),
    UINT16: struct.Struct(">H"),
    INT32: struct.Struct(">i"),
    UINT32: struct.Struct(">I"),
    INT64: struct.Struct(">q"),
    FLOAT64: struct.Struct(">d"),
}
_MAX_TAGS: Final = 1024
_MAX_HEADER_TAGS: Final = 64
_MAX_CLIENT_ID: Final = 4096


class _Reader:
    """Reads one message from the front."""

    __slots__ = ("at", "data", "elements", "end")

    def __init__(self, data: Buffer, position: int) -> None:
        self.data = memoryview(data)
        self.at = position
        self.end = len(self.data)
        self.elements = 0
        if not 0 <= position <= self.end:
            raise KafkaFormatError("a message begins behind its frame")

    def take(self, count: int) -> memoryview:
        begin = self.at
        if count < 0 or count > self.end - begin:
            raise KafkaFormatError(f"{count} bytes at {begin}, where {self.end - begin} are left")
        self.at = begin + count
        return self.data[begin : begin + count]

    def varint(self) -> int:
        """An unsigned number of 32 bits at most."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value > 0xFFFFFFFF:
                    break
                return value
        raise KafkaFormatError(f"a varint of more than 32 bits before {self.at}")

    def fixed(self, kind: int) -> Any:
        form = _FIXED[kind]
        return form.unpack(self.take(form.size))[0]

    def length(self, kind: int) -> int:
        """How long a string, bytes or an array is; -1 for null."""
        if kind == STRING:
            return int(self.fixed(INT16))
        if kind in (BYTES, ARRAY):
            return int(self.fixed(INT32))
        return self.varint() - 1

    def value(self, kind: int, field: FieldPlan) -> Any:
        if kind in _FIXED:
            return self.fixed(kind)
        if kind == UUID:
            return bytes(self.take(16))
        if kind == STRUCT:
            return self.fields(field.struct)
        if kind == NULLABLE_STRUCT:
            return None if self.fixed(INT8) < 0 else self.fields(field.struct)
        return self.counted(kind, field)

    def counted(self, kind: int, field: FieldPlan) -> Any:
        length = self.length(kind)
        if length < 0:
            if length < -1 or not field.is_nullable:
                raise KafkaFormatError(f"{field.name} is null or has a negative length")
            return None
        if kind in (ARRAY, COMPACT_ARRAY):
            return self.array(length, field)
        found = self.take(length)
        return found if kind in (BYTES, COMPACT_BYTES) else _text(found, field)

    def array(self, count: int, field: FieldPlan) -> list[Any]:
        self.elements += count
        if count > self.end - self.at or self.elements > MAX_ELEMENTS:
            raise KafkaFormatError(f"{field.name} has {count} elements, more than can be")
        kind = field.element
        return [self.value(kind, field) for _ in range(count)]

    def fields(self, plan: Plan | None) -> Message:
        assert plan is not None
        found: Message = {field.name: self.value(field.kind, field) for field in plan.fields}
        if plan.is_flexible:
            self.tags(plan, found)
        return found

    def tags(self, plan: Plan, found: Message) -> None:
        count = self.varint()
        if count > _MAX_TAGS:
            raise KafkaFormatError(f"{count} tagged fields")
        last = -1
        for _ in range(count):
            tag, size = self.varint(), self.varint()
            if tag <= last:
                raise KafkaFormatError(f"the tag {tag} follows {last}")
            last, data = tag, self.take(size)
            field = next((one for one in plan.tagged if one.tag == tag), None)
            if field is None:
                found.setdefault(TAGGED, []).append((tag, bytes(data)))
            else:
                self.tagged(field, found, size)

    def tagged(self, field: FieldPlan, found: Message, size: int) -> None:
        whole, end = self.end, self.at
        self.at, self.end = end - size, end
        found[field.name] = self.value(field.kind, field)
        if self.at != end:
            raise KafkaFormatError(f"{field.name} is shorter than its tag says")
        self.end = whole

    def pass_over(self, kind: int, field: FieldPlan) -> None:
        """Pass a value, and make nothing of it."""
        if kind in _FIXED:
            self.take(_FIXED[kind].size)
        elif kind == UUID:
            self.take(16)
        elif kind == STRUCT:
            self.pass_struct(field.struct)
        elif kind == NULLABLE_STRUCT:
            if self.fixed(INT8) >= 0:
                self.pass_struct(field.struct)
        else:
            self.pass_counted(kind, field)

    def pass_counted(self, kind: int, field: FieldPlan) -> None:
        length = max(0, self.length(kind))
        if length > self.end - self.at:
            raise KafkaFormatError(f"{field.name} is longer than its message")
        if kind not in (ARRAY, COMPACT_ARRAY):
            self.at += length
            return
        for _ in range(length):
            self.pass_over(field.element, field)

    def pass_struct(self, plan: Plan | None) -> None:
        assert plan is not None
        for field in plan.fields:
            self.pass_over(field.kind, field)
        if plan.is_flexible:
            self.pass_tags(_MAX_TAGS)

    def pass_tags(self, most: int) -> None:
        count = self.varint()
        if count > most:
            raise KafkaFormatError(f"{count} tagged fields")
        for _ in range(count):
            self.varint()
            self.take(self.varint())


def behind_fields(plan: Plan, data: Buffer, position: int) -> int:
    """Where the fields in order of a message end, and its tags begin.

    Passes over them without looking at values. Raises KafkaFormatError where they are longer than the data.
    """
    reader = _Reader(data, position)
    for field in plan.fields:
        reader.pass_over(field.kind, field)
    return reader.at


def behind_tags(data: Buffer, position: int) -> int:
    """Where tagged fields of a header end; none are known, so that they are passed over.

    Raises KafkaFormatError where they are longer than the data.
    """
    reader = _Reader(data, position)
    reader.pass_tags(_MAX_HEADER_TAGS)
    return reader.at


def request_header(data: Buffer, flexible_from: dict[int, int]) -> tuple[int, int, int, str, int]:
    """The key, version, correlation id and client id of a request's frame, and where its message begins.

    `flexible_from` has the versions from which on the headers of API keys have tags. Raises KafkaFormatError
    for bytes that are no header.
    """
    reader = _Reader(data, 4)
    key, version = reader.fixed(INT16), reader.fixed(INT16)
    correlation, length = reader.fixed(INT32), reader.fixed(INT16)
    if length < -1 or length > _MAX_CLIENT_ID:
        raise KafkaFormatError("a client id of impossible length")
    try:
        client_id = str(reader.take(max(0, length)), "utf-8")
    except UnicodeDecodeError:
        raise KafkaFormatError("a client id that is no UTF-8") from None
    first = flexible_from.get(key)
    if first is not None and version >= first:
        reader.pass_tags(_MAX_HEADER_TAGS)
    return key, version, correlation, client_id, reader.at


def _text(found: memoryview, field: FieldPlan) -> str:
    try:
        return str(found, "utf-8")
    except UnicodeDecodeError as error:
        raise KafkaFormatError(f"{field.name} is no UTF-8") from error


def decode(plan: Plan, data: Buffer, position: int) -> tuple[Message, int]:
    """The message at a position, and where it ends. Raises KafkaFormatError for any other bytes."""
    reader = _Reader(data, position)
    return reader.fields(plan), reader.at


class _Writer:
    """Writes one message: short values into one buffer, long ones as they are behind it."""

    __slots__ = ("data", "done")

    def __init__(self) -> None:
        self.data = bytearray()
        self.done: list[bytes | memoryview] = []

    def finish(self) -> list[bytes | memoryview]:
        if self.data or not self.done:
            self.done.append(bytes(self.data))
        return self.done

    def varint(self, value: int) -> None:
        while value > 0x7F:
            self.data.append(value & 0x7F | 0x80)
            value >>= 7
        self.data.append(value)

    def fixed(self, kind: int, value: Any) -> None:
        self.data += _FIXED[kind].pack(value)

    def length(self, kind: int, count: int) -> None:
        """-1 for null."""
        if kind == STRING:
            self.fixed(INT16, count)
        elif kind in (BYTES, ARRAY):
            self.fixed(INT32, count)
        else:
            self.varint(count + 1)

    def value(self, kind: int, field: FieldPlan, value: Any) -> None:
        if kind in _FIXED:
            self.fixed(kind, value)
        elif kind == UUID:
            self.data += value
        elif kind == STRUCT:
            self.fields(field.struct, value)
        elif kind == NULLABLE_STRUCT:
            self.fixed(INT8, -1 if value is None else 1)
            if value is not None:
                self.fields(field.struct, value)
        elif value is None:
            self.length(kind, -1)
        else:
            self.counted(kind, field, value)

    def counted(self, kind: int, field: FieldPlan, value: Any) -> None:
        if kind in (STRING, COMPACT_STRING):
            value = value.encode()
        self.length(kind, len(value))
        if kind in (ARRAY, COMPACT_ARRAY):
            for item in value:
                self.value(field.element, field, item)
        elif len(value) > INLINE:
            self.done += [bytes(self.data), memoryview(value)]
            self.data.clear()
        else:
            self.data += value

    def fields(self, plan: Plan | None, message: Message) -> None:
        assert plan is not None
        for field in plan.fields:
            self.value(field.kind, field, message.get(field.name, field.empty))
        if plan.is_flexible:
            self.tags(plan, message)

    def tags(self, plan: Plan, message: Message) -> None:
        found: list[tuple[int, bytes]] = list(message.get(TAGGED, ()))
        for field in plan.tagged:
            value = message.get(field.name, field.empty)
            if value != field.empty:
                inner = _Writer()
                inner.value(field.kind, field, value)
                found.append((field.tag, b"".join(inner.finish())))
        self.varint(len(found))
        for tag, data in sorted(found):
            self.varint(tag)
            self.varint(len(data))
            self.data += data


def encode(plan: Plan, message: Message) -> list[bytes | memoryview]:
    """The bytes of a message in pieces; what it does not say is as the schema says.

    Raises struct.error, TypeError or AttributeError for values that do not fit their fields.
    """
    writer = _Writer()
    writer.fields(plan, message)
    return writer.finish()


def room(size: int) -> bytearray | memoryview:
    """Room for bytes that are all to be written; that of many takes memory only as they come."""
    return bytearray(size) if size <= _LARGE else memoryview(mmap.mmap(-1, size))


_LARGE: Final = 1 << 20
