"""Frames: the length before each message, and the headers of requests and responses (KIP-482).

A frame here is whole: its four bytes of length, its header, its message.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.messages import (
    FLEXIBLE_FROM,
    Message,
    header_flexible,
    request_layout,
    response_layout,
)

try:
    from gateway_runtime.protocols.kafka._codec import behind_tags, request_header
except ImportError:
    from gateway_runtime.protocols.kafka.codec import behind_tags, request_header

Frame = bytes | bytearray | memoryview

PREFIX: Final = 4
"""Bytes of the length."""
LENGTH: Final = struct.Struct(">i")
_REQUEST: Final = struct.Struct(">ihhih")
_RESPONSE: Final = struct.Struct(">ii")
_NO_TAGS: Final = b"\x00"
_COMPACT_PRODUCE: Final = 9


class RequestHeader:
    """Who asks for what; the message begins at `body` of the frame."""

    __slots__ = ("body", "client_id", "correlation_id", "key", "version")

    def __init__(self, key: int, version: int, correlation_id: int, client_id: str, body: int) -> None:
        self.key = key
        self.version = version
        self.correlation_id = correlation_id
        self.client_id = client_id
        self.body = body


def read_request_header(frame: Frame) -> RequestHeader:
    """The header of a request's frame.

    Of a version that is not known only key, version and correlation id are right. Raises KafkaFormatError
    for bytes that are no header.
    """
    key, version, correlation_id, client_id, body = request_header(frame, FLEXIBLE_FROM)
    return RequestHeader(key, version, correlation_id, client_id, body)


def has_acks(frame: Frame, header: RequestHeader) -> bool:
    """Whether a Produce request is answered: acks is not 0. Raises KafkaFormatError where there is none."""
    at = header.body
    if header.version >= _COMPACT_PRODUCE:
        length, at = _varint(frame, at)
        at += max(0, length - 1)
    else:
        at += 2 + max(0, int.from_bytes(frame[at : at + 2], "big", signed=True))
    if at + 2 > len(frame):
        raise KafkaFormatError("a Produce request that is too short")
    return frame[at] != 0 or frame[at + 1] != 0


def response_body(frame: Frame, key: int, version: int) -> int:
    """Where the message of a response begins. Raises KafkaFormatError where there is none."""
    if header_flexible(key, version)[1]:
        return behind_tags(frame, _RESPONSE.size)
    return _RESPONSE.size


def correlation_id_of(frame: Frame) -> int:
    """Whose response a frame is. Raises KafkaFormatError where it says nothing."""
    if len(frame) < _RESPONSE.size:
        raise KafkaFormatError("a response shorter than its header")
    found: int = _RESPONSE.unpack_from(frame)[1]
    return found


def request_frame(header: RequestHeader, message: Message) -> list[bytes | memoryview]:
    """A request in pieces."""
    flexible = header_flexible(header.key, header.version)[0]
    name = header.client_id.encode()
    body = request_layout(header.key, header.version).encode(message)
    size = _REQUEST.size - PREFIX + len(name) + flexible + _size(body)
    head = _REQUEST.pack(size, header.key, header.version, header.correlation_id, len(name)) + name
    body.insert(0, head + _NO_TAGS if flexible else head)
    return body


def response_frame(key: int, version: int, correlation_id: int, message: Message) -> list[bytes | memoryview]:
    """A response in pieces."""
    flexible = header_flexible(key, version)[1]
    body = response_layout(key, version).encode(message)
    head = _RESPONSE.pack(_RESPONSE.size - PREFIX + flexible + _size(body), correlation_id)
    body.insert(0, head + _NO_TAGS if flexible else head)
    return body


def read_response(frame: Frame, key: int, version: int) -> Message:
    """The message of a response. Raises KafkaFormatError where it is none."""
    return response_layout(key, version).decode(frame, response_body(frame, key, version))


def _size(pieces: list[Any]) -> int:
    return sum(map(len, pieces))


def _varint(frame: Frame, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 35, 7):
        if at >= len(frame):
            break
        byte = frame[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise KafkaFormatError("a header longer than its frame")
