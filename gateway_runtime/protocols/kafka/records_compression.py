"""The payload of a record batch to its records' bytes and back, by the codecs of Kafka.

The size of what is unpacked is bounded: a few bytes of a peer must not become gigabytes of memory.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

from gateway_runtime.protocols.kafka.errors import KafkaFormatError

NONE: Final = 0
GZIP: Final = 1
SNAPPY: Final = 2
LZ4: Final = 3
ZSTD: Final = 4

Bytes = bytes | bytearray | memoryview

_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER: Final = _XERIAL + struct.pack("!ii", 1, 1)
_XERIAL_BLOCK: Final = 32768
"""The framing of snappy-java, by which Kafka's own clients read and write: blocks behind their lengths."""

_FIRST_GUESS: Final = 4
_SMALLEST: Final = 4096
_TOO_SMALL: Final = "failed to write whole buffer"
_GZIP_WINDOW: Final = 31


def decompress(codec: int, data: Bytes, limit: int) -> Bytes:
    """What was compressed; raises KafkaFormatError for broken data, and for more than `limit` bytes."""
    if codec == NONE:
        return data
    if codec == GZIP:
        return _gunzip(data, limit)
    if codec == SNAPPY:
        return b"".join(_snappy_blocks(data, limit))
    if codec in (LZ4, ZSTD):
        return _by_guessing(codec, data, limit)
    raise KafkaFormatError(f"unknown compression {codec}")


def compress(codec: int, data: Bytes) -> bytes:
    """As `decompress` reads it."""
    if codec == NONE:
        return bytes(data)
    if codec == GZIP:
        packer = zlib.compressobj(wbits=_GZIP_WINDOW)
        return packer.compress(data) + packer.flush()
    if codec == SNAPPY:
        return b"".join(_snappy_frames(memoryview(data)))
    if codec == LZ4:
        return _lz4(data)
    if codec == ZSTD:
        return bytes(_cramjam().zstd.compress(data))
    raise KafkaFormatError(f"unknown compression {codec}")


def _cramjam() -> Any:
    # Only what looks into compressed records pays for the library.
    import cramjam  # noqa: PLC0415

    return cramjam


def _too_large(limit: int) -> KafkaFormatError:
    return KafkaFormatError(f"the records of a batch are larger than {limit} bytes")


def _gunzip(data: Bytes, limit: int) -> bytes:
    found, left = [], limit
    rest: Bytes = data
    while rest:
        unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
        try:
            found.append(unpacker.decompress(rest, left + 1))
        except zlib.error as error:
            raise KafkaFormatError(f"broken gzip: {error}") from None
        left -= len(found[-1])
        if left < 0:
            raise _too_large(limit)
        if not unpacker.eof:
            raise KafkaFormatError("broken gzip: it ends too early")
        rest = unpacker.unused_data
    return b"".join(found)


def _by_guessing(codec: int, data: Bytes, limit: int) -> memoryview:
    """Neither format says its size for sure: the room is doubled until it is enough, or too much."""
    cramjam = _cramjam()
    library = cramjam.lz4 if codec == LZ4 else cramjam.zstd
    size = min(limit, max(_SMALLEST, _FIRST_GUESS * len(data)))
    while True:
        room = bytearray(size)
        try:
            return memoryview(room)[: library.decompress_into(data, room)]
        except (cramjam.DecompressionError, OSError) as error:
            if str(error) != _TOO_SMALL:
                raise KafkaFormatError(f"broken compression: {error}") from None
        if size == limit:
            raise _too_large(limit)
        size = min(limit, 2 * size)


def _snappy_blocks(data: Bytes, limit: int) -> Iterator[bytes]:
    left = limit
    for block in _framed(memoryview(data)):
        unpacked = _snappy_block(block, left, limit)
        left -= len(unpacked)
        yield unpacked


def _snappy_block(block: memoryview, left: int, limit: int) -> bytes:
    cramjam = _cramjam()
    try:
        if cramjam.snappy.decompress_raw_len(block) > left:
            raise _too_large(limit)
        return bytes(cramjam.snappy.decompress_raw(block))
    except (cramjam.DecompressionError, OSError) as error:
        raise KafkaFormatError(f"broken snappy: {error}") from None


def _framed(data: memoryview) -> Iterator[memoryview]:
    """The blocks of snappy-java; data without its header is one block."""
    if bytes(data[: len(_XERIAL)]) != _XERIAL:
        yield data
        return
    position = len(_XERIAL_HEADER)
    while position < len(data):
        if position + 4 > len(data):
            raise KafkaFormatError("broken snappy: it ends too early")
        (length,) = struct.unpack_from("!i", data, position)
        end = position + 4 + length
        if length < 0 or end > len(data):
            raise KafkaFormatError("broken snappy: a block's length is wrong")
        yield data[position + 4 : end]
        position = end


def _lz4(data: Bytes) -> bytes:
    # Brokers refuse blocks that are linked (KIP-57).
    packer = _cramjam().lz4.Compressor(content_checksum=False, block_linked=False)
    packer.compress(data)
    return bytes(packer.finish())


def _snappy_frames(data: memoryview) -> Iterator[bytes]:
    pack = _cramjam().snappy.compress_raw
    yield _XERIAL_HEADER
    for position in range(0, len(data), _XERIAL_BLOCK):
        block = bytes(pack(data[position : position + _XERIAL_BLOCK]))
        yield struct.pack("!i", len(block))
        yield block
