"""Kafka messages to bytes and back, for every API key and version, in Python and in C alike."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_runtime.protocols.kafka import _codec, codec
from gateway_runtime.protocols.kafka import plan as kinds
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.messages import (
    FLEXIBLE_FROM,
    KEYS,
    Entity,
    Layout,
    embedded_layout,
    entities,
    header_flexible,
    request_layout,
    response_layout,
)
from gateway_runtime.protocols.kafka.plan import FieldPlan, Plan

LAYOUTS = [
    make(key, version)
    for key, api in KEYS.items()
    for version in range(api.lowest, api.highest + 1)
    for make in (request_layout, response_layout)
] + [
    embedded_layout(name, version)
    for name in ("ConsumerProtocolSubscription", "ConsumerProtocolAssignment")
    for version in range(4)
]
CODECS = pytest.mark.parametrize("implementation", [codec, _codec], ids=["python", "c"])
_BITS = {kinds.INT8: 8, kinds.INT16: 16, kinds.INT32: 32, kinds.INT64: 64}


def _message(plan: Plan, source: random.Random) -> dict[str, Any]:
    """Any message of a plan."""
    found = {field.name: _value(field.kind, field, source) for field in plan.fields}
    for field in plan.tagged:
        value = _value(field.kind, field, source)
        if value != field.empty:  # what is as without it is not written
            found[field.name] = value
    if plan.is_flexible and source.random() < 0.2:
        found["_tagged"] = [(900 + index, source.randbytes(source.randrange(9))) for index in range(2)]
    return found


def _value(kind: int, field: FieldPlan, source: random.Random) -> Any:
    is_null = field.is_nullable and kind >= kinds.STRING and kind != kinds.STRUCT and source.random() < 0.3
    if is_null:
        return None
    if kind in _BITS:
        return source.getrandbits(_BITS[kind]) - (1 << (_BITS[kind] - 1))
    if kind in (kinds.UINT16, kinds.UINT32):
        return source.getrandbits(16 if kind == kinds.UINT16 else 32)
    if kind == kinds.FLOAT64:
        return source.uniform(-1e9, 1e9)
    if kind == kinds.BOOL:
        return source.random() < 0.5
    if kind == kinds.UUID:
        return source.randbytes(16)
    if kind in (kinds.STRUCT, kinds.NULLABLE_STRUCT):
        assert field.struct is not None
        return _message(field.struct, source)
    if kind in (kinds.ARRAY, kinds.COMPACT_ARRAY):
        return [_value(field.element, field, source) for _ in range(source.randrange(3))]
    if kind in (kinds.BYTES, kinds.COMPACT_BYTES):
        return source.randbytes(source.choice((0, 5, 200, codec.INLINE + 1)))
    return "".join(source.choice("aé日z-.") for _ in range(source.choice((0, 3, 200))))


def _bytes(implementation: Any, layout: Layout, message: dict[str, Any]) -> bytes:
    return b"".join(implementation.encode(layout.plan, message))


@CODECS
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.name}-{layout.version}")
def test_every_message_comes_back_as_it_was(layout: Layout, implementation: Any) -> None:
    source = random.Random(f"{layout.name} {layout.version}")
    for _ in range(3):
        message = _message(layout.plan, source)
        data = _bytes(implementation, layout, message)
        again, end = implementation.decode(layout.plan, data, 0)
        assert end == len(data)
        assert again == message


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.name}-{layout.version}")
def test_both_codecs_write_the_same_bytes(layout: Layout) -> None:
    source = random.Random(f"{layout.name} {layout.version}")
    for _ in range(3):
        message = _message(layout.plan, source)
        assert _bytes(codec, layout, message) == _bytes(_codec, layout, message)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.name}-{layout.version}")
def test_a_field_that_is_not_given_is_as_the_schema_says(layout: Layout) -> None:
    data = b"".join(layout.encode({}))
    assert data == _bytes(codec, layout, {})
    assert b"".join(layout.encode(layout.decode(data))) == data


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(LAYOUTS) - 1), st.binary(max_size=300))
def test_any_bytes_are_read_alike_or_refused_alike(index: int, data: bytes) -> None:
    layout = LAYOUTS[index]
    assert _outcome(codec, layout, data) == _outcome(_codec, layout, data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, len(LAYOUTS) - 1), st.randoms(use_true_random=False), st.integers(0), st.integers(0, 255)
)
def test_a_broken_byte_is_read_alike_or_refused_alike(
    index: int, source: random.Random, place: int, byte: int
) -> None:
    layout = LAYOUTS[index]
    data = bytearray(_bytes(codec, layout, _message(layout.plan, source)))
    if data:
        data[place % len(data)] = byte
    assert _outcome(codec, layout, bytes(data)) == _outcome(_codec, layout, bytes(data))


def _outcome(implementation: Any, layout: Layout, data: bytes) -> Any:
    try:
        message, end = implementation.decode(layout.plan, data, 0)
    except KafkaFormatError:
        return KafkaFormatError
    return repr(_plain(message)), end


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return bytes(value) if isinstance(value, memoryview) else value


@CODECS
def test_a_message_that_is_cut_anywhere_is_refused(implementation: Any) -> None:
    layout = request_layout(0, 13)
    data = _bytes(implementation, layout, _message(layout.plan, random.Random(1)))
    for end in range(len(data)):
        with pytest.raises(KafkaFormatError):
            implementation.decode(layout.plan, data[:end], 0)


@CODECS
def test_an_array_longer_than_its_message_is_refused_before_it_is_made(implementation: Any) -> None:
    data = b"\x7f\xff\xff\xff" + bytes(100)
    with pytest.raises(KafkaFormatError, match="more than can be"):
        implementation.decode(request_layout(3, 0).plan, data, 0)


@CODECS
def test_a_message_of_too_many_elements_is_refused(implementation: Any) -> None:
    count = codec.MAX_ELEMENTS + 1
    data = count.to_bytes(4, "big") + bytes(2 * count)
    with pytest.raises(KafkaFormatError, match="more than can be"):
        implementation.decode(request_layout(3, 0).plan, data, 0)


@CODECS
def test_tags_out_of_order_are_refused(implementation: Any) -> None:
    data = b"\x00\x02\x05\x00\x05\x00"
    layout = response_layout(12, 4)
    with pytest.raises(KafkaFormatError, match="follows"):
        implementation.decode(layout.plan, bytes(6) + data[1:], 0)


def test_bytes_behind_a_message_are_refused() -> None:
    layout = response_layout(12, 0)
    with pytest.raises(KafkaFormatError, match="1 bytes too many"):
        layout.decode(b"".join(layout.encode({})) + b"x")


def test_long_records_are_handed_on_as_a_view_of_their_frame() -> None:
    layout = request_layout(0, 9)
    records = bytes(5000)
    message = {"TopicData": [{"Name": "t", "PartitionData": [{"Index": 0, "Records": records}]}]}
    frame = b"".join(layout.encode(message))
    found = layout.decode(frame)["TopicData"][0]["PartitionData"][0]["Records"]
    assert isinstance(found, memoryview)
    assert found.obj is frame
    assert any(
        piece is found
        for piece in layout.encode(
            layout.decode(frame)
            | {"TopicData": [{"Name": "t", "PartitionData": [{"Index": 0, "Records": found}]}]}
        )
    )


def test_a_version_that_is_still_being_made_is_not_known() -> None:
    assert KEYS[22].highest == 5
    with pytest.raises(KeyError):
        request_layout(0, 99)


def test_keys_of_controllers_and_between_brokers_are_not_known() -> None:
    assert {27, 52, 56, 58, 62, 83, 84, 85, 86, 87}.isdisjoint(KEYS)


def test_the_entities_of_a_message_are_those_of_its_version() -> None:
    assert Entity("topicName", ("Topics", "Topic")) in entities(1, 12, True)
    assert Entity("topicName", ("Topics", "Topic")) not in entities(1, 13, True)


def test_the_header_of_an_api_versions_response_has_no_tags() -> None:
    assert header_flexible(18, 4) == (True, False)
    assert header_flexible(3, 9) == (True, True)
    assert header_flexible(3, 8) == (False, False)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.name}-{layout.version}")
def test_tags_are_found_behind_the_fields_without_reading_them(layout: Layout) -> None:
    source = random.Random(f"{layout.name} {layout.version} tags")
    for _ in range(3):
        message = _message(layout.plan, source)
        data = _bytes(codec, layout, message)
        at = codec.behind_fields(layout.plan, data, 0)
        assert at == _codec.behind_fields(layout.plan, data, 0)
        has_tags = "_tagged" in message or any(field.name in message for field in layout.plan.tagged)
        assert layout.has_tags(data, 0) == has_tags


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(LAYOUTS) - 1), st.binary(max_size=300))
def test_any_bytes_are_passed_over_alike_or_refused_alike(index: int, data: bytes) -> None:
    plan = LAYOUTS[index].plan
    assert _end(codec.behind_fields, plan, data, 0) == _end(_codec.behind_fields, plan, data, 0)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([0, 3, 17, 18, 77, 93]), st.integers(0, 14), st.binary(max_size=60))
def test_headers_of_requests_are_read_alike_or_refused_alike(key: int, version: int, rest: bytes) -> None:
    frame = bytes(4) + key.to_bytes(2, "big") + version.to_bytes(2, "big") + bytes(4) + rest
    assert _end(codec.request_header, frame, FLEXIBLE_FROM) == _end(
        _codec.request_header, frame, FLEXIBLE_FROM
    )


def _end(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except KafkaFormatError:
        return KafkaFormatError


@CODECS
def test_a_header_gives_who_asks_and_where_the_message_begins(implementation: Any) -> None:
    frame = bytes(4) + b"\x00\x03\x00\x09\x00\x00\x00\x07\x00\x02me" + b"\x01\x05\x01x" + b"body"
    assert implementation.request_header(frame, FLEXIBLE_FROM) == (3, 9, 7, "me", len(frame) - 4)
    with pytest.raises(KafkaFormatError):
        implementation.request_header(frame[:12], FLEXIBLE_FROM)
