"""Record batches to records and back, beside what other clients make of them."""

from __future__ import annotations

import struct

import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st
from record_batches import START, Given, batch, read, values

from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.records import (
    CorruptBatchError,
    OldFormatError,
    RecordBatch,
    read_batches,
)
from gateway_runtime.protocols.kafka.records_record import Record, read_records, read_varint, write_varint

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
ALL_CODECS = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())

BYTES = st.none() | st.binary(max_size=40)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
GIVEN = st.builds(
    Given,
    key=BYTES,
    value=BYTES,
    headers=st.lists(st.tuples(NAMES, BYTES), max_size=3),
    timestamp=st.integers(START, START + (1 << 40)),
)


def only(data: bytes) -> RecordBatch:
    (found,) = read_batches(memoryview(data))
    return found


def seen(found: RecordBatch) -> list[Given]:
    return [
        Given(one.key, one.value, one.headers, found.timestamp_of(one), found.base_offset + one.offset_delta)
        for one in found.records()
    ]


@given(st.lists(GIVEN, min_size=1, max_size=6), st.sampled_from(list(CODECS.values())))
def test_records_are_read_as_another_client_wrote_them(records: list[Given], codec: int) -> None:
    data = batch(*records, codec=codec)
    assert seen(only(data)) == read(data)


@given(st.lists(GIVEN, min_size=1, max_size=6), st.sampled_from(list(CODECS.values())))
def test_what_is_written_anew_is_read_by_another_client(records: list[Given], codec: int) -> None:
    found = only(batch(*records, codec=codec))
    changed = found.records()
    for record in changed:
        record.changed()
    assert read(found.with_records(changed)) == read(found.data)


@ALL_CODECS
def test_a_batch_keeps_what_compaction_keeps(codec: int) -> None:
    data = bytearray(values("a", "b" * 500, "c", codec=codec, is_transactional=1))
    struct.pack_into("!q", data, 0, 4000)
    struct.pack_into("!i", data, 12, 9)
    found = only(bytes(data))
    written = found.with_records(found.records()[1:2])
    edited = DefaultRecordBatch(written)
    assert edited.validate_crc()
    assert [(one.offset, one.value) for one in edited] == [(4001, b"b" * 500)]
    assert edited.next_offset == 4003
    assert (edited.producer_id, edited.producer_epoch, edited.base_sequence) == (7, 3, 11)
    assert (edited.is_transactional, edited.compression_type) == (True, found.compression)
    assert (edited.first_timestamp, edited.max_timestamp) == (
        DefaultRecordBatch(bytes(data)).first_timestamp,
        DefaultRecordBatch(bytes(data)).max_timestamp,
    )
    assert struct.unpack_from("!i", written, 12) == (9,)


@ALL_CODECS
def test_a_batch_without_records_still_tells_the_next_offset(codec: int) -> None:
    found = only(values("a" * 300, "b", codec=codec))
    empty = DefaultRecordBatch(found.with_records([]))
    assert empty.validate_crc()
    assert list(empty) == []
    assert empty.next_offset == 2
    assert only(found.with_records([])).records() == []


def test_a_record_that_is_not_changed_keeps_its_bytes() -> None:
    found = only(values("a", "b"))
    first, second = found.records()
    second.value = b"other"
    second.changed()
    assert first.encode() in bytes(found.data)
    assert read(found.with_records([first, second]))[1].value == b"other"


def test_the_time_of_appending_holds_for_all_records() -> None:
    data = bytearray(values("a"))
    struct.pack_into("!h", data, 21, 0x08)
    struct.pack_into("!q", data, 35, 99)
    found = RecordBatch(memoryview(data))
    assert found.timestamp_of(Record(None, None, [])) == 99


def test_several_batches_are_read_and_one_that_is_cut_off_is_left_out() -> None:
    data = values("a") + values("b") + values("c")[:-1]
    assert len(read_batches(memoryview(data), is_cut=True)) == 2
    assert len(read_batches(memoryview(data[: 2 * len(values("a")) + 5]), is_cut=True)) == 2
    with pytest.raises(KafkaFormatError, match="too early"):
        read_batches(memoryview(data))


@pytest.mark.parametrize("magic", [0, 1])
def test_old_formats_are_refused_by_name(magic: int) -> None:
    old = struct.pack("!qiIb", 0, 6, 0, magic) + bytes(30)
    with pytest.raises(OldFormatError, match=f"format {magic}"):
        read_batches(memoryview(old))


def test_a_wrong_crc_is_found() -> None:
    data = bytearray(values("abc"))
    data[-3] ^= 1
    with pytest.raises(CorruptBatchError):
        only(bytes(data)).records()


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for is_cut in (False, True):
        try:
            for found in read_batches(memoryview(data), is_cut):
                found.records()
        except KafkaFormatError:
            continue


@given(st.binary(max_size=80), st.integers(-5, 100))
def test_no_records_are_read_beyond_their_bytes(data: bytes, count: int) -> None:
    try:
        records = read_records(data, count)
    except KafkaFormatError:
        return
    assert b"".join(record.encode() for record in records) == data


@given(st.data())
def test_a_broken_record_is_refused_or_read_whole(data: st.DataObject) -> None:
    payload = bytearray(b"".join(one.encode() for one in only(values("abc", "de")).records()))
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_records(bytes(payload), 2)
    except KafkaFormatError:
        return


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_numbers_are_read_as_they_were_written(value: int) -> None:
    written = bytearray()
    write_varint(written, value)
    assert read_varint(bytes(written), 0) == (value, len(written))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9 + b"\x7f", b"\xff" * 11], ids=repr)
def test_numbers_without_an_end_or_beyond_64_bits_are_refused(data: bytes) -> None:
    with pytest.raises(KafkaFormatError):
        read_varint(data, 0)


def test_a_record_that_is_shorter_than_it_says_is_refused() -> None:
    (whole,) = only(values("abc")).records()
    longer = bytes((whole.encode()[0] + 2,)) + whole.encode()[1:] + b"\x00"
    with pytest.raises(KafkaFormatError, match="not as long"):
        read_records(longer, 1)


def test_a_count_that_the_bytes_cannot_hold_costs_nothing() -> None:
    with pytest.raises(KafkaFormatError, match="cannot have"):
        read_records(b"abc", 1 << 30)
