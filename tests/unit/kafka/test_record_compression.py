"""Compressed payloads of batches: their codecs, and how large they may become."""

from __future__ import annotations

import gzip
import struct

import cramjam
import pytest
from aiokafka import codec as aiokafka_codec
from hypothesis import given
from hypothesis import strategies as st

from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.records_compression import (
    GZIP,
    LZ4,
    NONE,
    SNAPPY,
    ZSTD,
    compress,
    decompress,
)

NAMES = {GZIP: "gzip", SNAPPY: "snappy", LZ4: "lz4", ZSTD: "zstd"}
COMPRESSED = pytest.mark.parametrize("codec", NAMES, ids=NAMES.values())
LIMIT = 1 << 20


@COMPRESSED
@given(data=st.binary(max_size=200).map(lambda part: part * 300))
def test_what_is_packed_is_unpacked_here_and_elsewhere(codec: int, data: bytes) -> None:
    packed = compress(codec, data)
    assert bytes(decompress(codec, packed, LIMIT)) == data
    if data:
        assert bytes(getattr(aiokafka_codec, f"{NAMES[codec]}_decode")(packed)) == data


@COMPRESSED
def test_what_elsewhere_is_packed_is_unpacked(codec: int) -> None:
    data = b"some text, again and again " * 4000
    packed = getattr(aiokafka_codec, f"{NAMES[codec]}_encode")(data)
    assert bytes(decompress(codec, memoryview(packed), LIMIT)) == data


@COMPRESSED
def test_nothing_becomes_larger_than_the_limit(codec: int) -> None:
    packed = compress(codec, bytes(LIMIT + 1))
    assert len(packed) < LIMIT // 10
    with pytest.raises(KafkaFormatError, match="larger than"):
        decompress(codec, packed, LIMIT)
    assert len(decompress(codec, compress(codec, bytes(LIMIT)), LIMIT)) == LIMIT


@COMPRESSED
@given(data=st.data())
def test_broken_data_is_refused(codec: int, data: st.DataObject) -> None:
    packed = bytearray(compress(codec, b"abcdefgh" * 100))
    del packed[data.draw(st.integers(0, len(packed) - 1)) :]
    try:
        assert decompress(codec, bytes(packed), LIMIT) != b"abcdefgh" * 100
    except KafkaFormatError:
        return


@COMPRESSED
@given(data=st.binary(max_size=100))
def test_no_bytes_do_more_than_be_refused(codec: int, data: bytes) -> None:
    try:
        decompress(codec, data, LIMIT)
    except KafkaFormatError:
        return


def test_snappy_without_frames_is_read() -> None:
    assert bytes(decompress(SNAPPY, bytes(cramjam.snappy.compress_raw(b"abc" * 50)), LIMIT)) == b"abc" * 50


def test_a_snappy_block_that_says_too_much_is_refused_before_it_is_unpacked() -> None:
    header = b"\x82SNAPPY\x00" + struct.pack("!ii", 1, 1)
    block = b"\xff\xff\xff\xff\x0f" + b"abc"
    with pytest.raises(KafkaFormatError, match="larger than"):
        decompress(SNAPPY, header + struct.pack("!i", len(block)) + block, LIMIT)


def test_gzip_of_several_members_is_read_within_the_limit() -> None:
    member = gzip.compress(bytes(LIMIT // 2))
    assert len(decompress(GZIP, member * 2, LIMIT)) == LIMIT
    with pytest.raises(KafkaFormatError, match="larger than"):
        decompress(GZIP, member * 3, LIMIT)


def test_lz4_has_independent_blocks_since_brokers_refuse_others() -> None:
    flags = compress(LZ4, b"abcdefgh" * 50_000)[4]
    assert (flags >> 6, bool(flags & 0x20)) == (1, True)


def test_an_unknown_codec_is_refused() -> None:
    for codec in (5, 6, 7):
        with pytest.raises(KafkaFormatError, match="unknown compression"):
            decompress(codec, b"", LIMIT)
    assert decompress(NONE, b"abc", LIMIT) == b"abc"
