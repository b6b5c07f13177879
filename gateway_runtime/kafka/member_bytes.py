"""Topic names inside the bytes that consumers of classic groups exchange, to others.

Kafka's brokers read them too: by a subscription they know which offsets are still wanted. Bytes that are
none of the consumer protocol pass as they are; what a newer version has behind the known fields is kept.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from gateway_runtime.kafka.walk import Change, Message, change_names
from gateway_runtime.protocols.kafka.codec import decode
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.messages import embedded_layout

CONSUMER: Final = "consumer"
"""The protocol type of such groups."""

_VERSION: Final = Struct(">h")
_NEWEST: Final = 3
_SUBSCRIPTION: Final = ("ConsumerProtocolSubscription", (("Topics",), ("OwnedPartitions", "Topic")))
_ASSIGNMENT: Final = ("ConsumerProtocolAssignment", (("AssignedPartitions", "Topic"),))

Form = tuple[str, tuple[tuple[str, ...], ...]]
Bytes = bytes | memoryview


def map_subscription(data: Bytes, change: Change) -> Bytes:
    """A member's subscription with other topic names; where `change` gives None, the topic goes."""
    return _mapped(data, _SUBSCRIPTION, change)


def map_assignment(data: Bytes, change: Change) -> Bytes:
    """A member's assignment with other topic names; where `change` gives None, the topic goes."""
    return _mapped(data, _ASSIGNMENT, change)


def _mapped(data: Bytes, form: Form, change: Change) -> Bytes:
    name, paths = form
    if len(data) < _VERSION.size:
        return data
    (version,) = _VERSION.unpack(data[: _VERSION.size])
    if version < 0:
        return data
    layout = embedded_layout(name, min(version, _NEWEST))
    try:
        message, end = decode(layout.plan, data, _VERSION.size)
    except KafkaFormatError:
        return data
    _change(message, paths, change)
    return b"".join([data[: _VERSION.size], *layout.encode(message), data[end:]])


def _change(message: Message, paths: tuple[tuple[str, ...], ...], change: Change) -> None:
    for path in paths:
        change_names(message, path, change)
