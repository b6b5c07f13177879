"""Bytes of a socket to frames, whatever pieces they come in."""

from __future__ import annotations

import asyncio
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_runtime.connections.kafka_broker import BrokerConnection
from gateway_runtime.protocols.kafka.frames import Frame


class Reader:
    """Keeps what a connection to a broker gets."""

    def __init__(self, limit: int = 1 << 22) -> None:
        self.frames: list[bytes] = []
        self.reason = ""
        self._connection = BrokerConnection()
        self._connection.frame_limit = limit
        self._connection.taker = self._take
        self._connection.lost = self._lose

    def _take(self, frame: Frame) -> None:
        self.frames.append(bytes(frame))

    def _lose(self, reason: str) -> None:
        self.reason = reason

    def feed(self, data: bytes) -> None:
        """As a transport does: as much as there is room for, again and again."""
        while data:
            room = self._connection.get_buffer(-1)
            count = min(len(room), len(data))
            room[:count] = data[:count]
            data = data[count:]
            self._connection.buffer_updated(count)


def _frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


BODIES = st.lists(st.integers(4, 40) | st.just(20_000), max_size=6)
"""Lengths of frames' bodies."""


def _body(size: int) -> bytes:
    return bytes(index % 251 for index in range(size))


@settings(deadline=None)
@given(BODIES, st.lists(st.integers(1, 30_000), max_size=20))
def test_frames_come_out_whole_however_they_are_cut(sizes: list[int], cuts: list[int]) -> None:
    reader = Reader()
    frames = [_frame(_body(size)) for size in sizes]
    data = b"".join(frames)
    for cut in cuts:
        reader.feed(data[:cut])
        data = data[cut:]
    reader.feed(data)
    assert reader.frames == frames
    assert reader.reason == ""


@settings(deadline=None)
@given(BODIES, BODIES, st.integers(1, 300))
def test_connections_that_read_in_turn_keep_their_bytes_apart(
    first: list[int], second: list[int], step: int
) -> None:
    readers = [Reader(), Reader()]
    sent = [[_frame(_body(size)) for size in sizes] for sizes in (first, second)]
    streams = [b"".join(frames) for frames in sent]
    for at in range(0, max(map(len, streams)), step):
        for reader, data in zip(readers, streams, strict=True):
            reader.feed(data[at : at + step])
    assert [reader.frames for reader in readers] == sent


def test_a_frame_of_the_limit_is_read_and_a_longer_one_ends_the_connection() -> None:
    reader = Reader(limit=100)
    reader.feed(_frame(bytes(96)) + _frame(bytes(97)))
    assert len(reader.frames) == 1
    assert "where 100 are allowed" in reader.reason


def test_a_negative_length_ends_the_connection() -> None:
    reader = Reader()
    reader.feed(b"\xff\xff\xff\xff" + bytes(20))
    assert reader.frames == []
    assert reader.reason


def test_a_frame_of_many_megabytes_is_read() -> None:
    reader = Reader()
    body = bytes(range(256)) * 12_000
    reader.feed(_frame(body))
    assert reader.frames == [_frame(body)]


def test_frames_that_are_kept_are_never_written_over_by_later_ones() -> None:
    frames: list[Frame] = []
    connection = BrokerConnection()
    connection.taker = frames.append
    sizes = [300_000, 1_000_000, 2_000_000] * 6
    for number, size in enumerate(sizes):
        data = _frame(bytes([number]) * size)
        while data:
            room = connection.get_buffer(-1)
            count = min(len(room), len(data))
            room[:count] = data[:count]
            data = data[count:]
            connection.buffer_updated(count)
        del room
    assert [
        bytes(frame) == _frame(bytes([number]) * size)
        for number, (frame, size) in enumerate(zip(frames, sizes, strict=True))
    ] == [True] * len(sizes)


class Wire:
    """Keeps what is written to it, write by write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def set_write_buffer_limits(self, high: int) -> None:
        """Take it."""

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.writes.append(bytes(data))

    def writelines(self, pieces: list[bytes]) -> None:
        self.writes.append(b"".join(pieces))


def test_what_comes_of_one_read_is_written_at_once() -> None:
    reader, peer, wire = BrokerConnection(), BrokerConnection(), Wire()
    peer.connection_made(cast("asyncio.Transport", wire))
    reader.peer = peer
    reader.taker = lambda frame: peer.send([frame])
    data = _frame(b"one.") + _frame(b"two.") + _frame(bytes(40_000))
    reader.get_buffer(-1)[: len(data)] = data
    reader.buffer_updated(len(data))
    assert wire.writes == [data]
    peer.send([b"alone"])
    assert wire.writes == [data, b"alone"]
