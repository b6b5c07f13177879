"""The short way between two plain sockets: whole frames go over, the rest goes to the protocol."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
from plain_ends import PATIENCE, RESET, End, connected, read, run

from gateway_runtime.connections.rooms import ROOM, next_room
from gateway_runtime.kafka._relay import Relay
from gateway_runtime.kafka._relay import Row as RowInC
from gateway_runtime.kafka.passing import relay
from gateway_runtime.kafka.row import Row
from gateway_runtime.protocols.kafka.frames import RequestHeader, request_frame, response_frame
from gateway_runtime.protocols.kafka.messages import KEYS

PRODUCE, METADATA, HEARTBEAT = 0, 3, 12
OFFERED = {key: (api.lowest, api.highest) for key, api in KEYS.items()}
MOST = 200_000
LARGE = 40_000
TOPIC = b"t" * 16


class Protocol(End):
    """Keeps what the lane leaves."""

    def __init__(self, is_client: bool) -> None:
        super().__init__()
        self.is_client = is_client
        self.left = b""
        self.settled = 0

    def get_buffer(self, sizehint: int) -> memoryview:
        assert sizehint == -1
        return next_room()

    def buffer_updated(self, nbytes: int) -> None:
        self.take_read(0, nbytes)

    def take_read(self, first: int, nbytes: int) -> None:
        self.left += bytes(next_room()[first : first + nbytes])
        self.came.set()

    def is_amid_frame(self) -> bool:
        at = 0
        while at + 4 <= len(self.left):
            at += 4 + int.from_bytes(self.left[at : at + 4])
        return at != len(self.left)

    def settle(self) -> None:
        self.settled += 1
        self.came.set()

    def eof_received(self) -> bool:
        return False


@dataclass
class Between:
    """A client and a broker, and the two ends that a gateway has of them."""

    relay: Relay
    row: Row
    client: socket.socket
    broker: socket.socket
    client_side: Protocol
    broker_side: Protocol


@asynccontextmanager
async def _between() -> AsyncIterator[Between]:
    client_side, broker_side = Protocol(is_client=True), Protocol(is_client=False)
    async with connected(client_side) as client, connected(broker_side) as broker:
        row = RowInC()
        made = relay(row, OFFERED)
        assert made is not None
        made.limit(1 << 20, MOST)
        made.is_open = True
        for one, other in ((client_side, broker_side), (broker_side, client_side)):
            assert one.there.lane is not None
            one.there.lane.join(made, one, other.there)
        yield Between(made, row, client, broker, client_side, broker_side)


def _heartbeat(number: int, size: int = 10) -> bytes:
    message = {"GroupId": "g", "MemberId": "m" * size}
    return b"".join(request_frame(RequestHeader(HEARTBEAT, 4, number, "me", 0), message))


def _produce(number: int, size: int = LARGE, acks: int = 1) -> bytes:
    records = memoryview(bytes([number]) * size)
    topic = {"TopicId": TOPIC, "PartitionData": [{"Index": 0, "Records": records}]}
    message = {"Acks": acks, "TimeoutMs": 9, "TopicData": [topic]}
    return b"".join(request_frame(RequestHeader(PRODUCE, 13, number, "me", 0), message))


async def _send(sock: socket.socket, data: bytes) -> None:
    await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(sock, data), PATIENCE)


async def _read_all(sock: socket.socket, count: int, other: Protocol) -> bytes:
    """What comes out at a socket, until that and what was left to a protocol are so many bytes."""
    got = b""
    while len(got) + len(other.left) < count:
        with suppress(BlockingIOError):
            got += sock.recv(1 << 20)
        await asyncio.sleep(0)
    return got


async def _expects_large(ends: Between) -> None:
    """Have a first large request over, or left to the protocol if it did not come at once."""
    first = _produce(0)
    await _send(ends.client, first)
    assert await _read_all(ends.broker, len(first), ends.client_side) in (first, b"")
    ends.client_side.left = b""


async def _settles(ends: Between) -> None:
    """All that the system has to tell of sockets by now has been told: it tells in one go."""
    ends.broker_side.came.clear()
    ends.broker.send(_alive(99))
    await asyncio.wait_for(ends.broker_side.came.wait(), PATIENCE)


def _alive(number: int) -> bytes:
    return b"".join(response_frame(HEARTBEAT, 4, number, {}))


def test_requests_and_their_responses_go_over_without_the_protocols() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.client.send(_heartbeat(1) + _heartbeat(2))
            assert await read(ends.broker, 2 * len(_heartbeat(1))) == _heartbeat(1) + _heartbeat(2)
            assert len(ends.row) == 2
            ends.broker.send(_alive(1) + _alive(2))
            assert await read(ends.client, 2 * len(_alive(1))) == _alive(1) + _alive(2)
            assert (len(ends.row), ends.client_side.left, ends.broker_side.left) == (0, b"", b"")

    run(behaviour)


def test_what_does_not_pass_and_all_behind_it_goes_to_the_protocol() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.row.push(METADATA, 12, 7)
            metadata = b"".join(response_frame(METADATA, 12, 7, {}))
            ends.broker.send(metadata + _alive(8))
            await asyncio.wait_for(ends.broker_side.came.wait(), PATIENCE)
            assert ends.broker_side.left == metadata + _alive(8)

            broken = _heartbeat(2)[:-1]
            ends.client.send(_heartbeat(1) + broken)
            assert await read(ends.broker, len(_heartbeat(1))) == _heartbeat(1)
            await asyncio.wait_for(ends.client_side.came.wait(), PATIENCE)
            assert ends.client_side.left == broken

    run(behaviour)


def test_behind_what_waits_to_be_written_frames_keep_their_turn() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            waiting = bytes(8 << 20)
            ends.broker_side.there.write(waiting)
            assert ends.broker_side.full == [True]
            ends.client.send(_heartbeat(1))
            while not len(ends.row):
                await asyncio.sleep(0)
            expected = waiting + _heartbeat(1)
            assert await read(ends.broker, len(expected)) == expected
            ends.client.send(_heartbeat(2))
            assert await read(ends.broker, len(_heartbeat(2))) == _heartbeat(2)

    run(behaviour)


def test_the_protocol_settles_when_no_more_may_be_awaited() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.relay.limit(1 << 20, 2)
            ends.client.send(_heartbeat(1) + _heartbeat(2))
            await asyncio.wait_for(ends.client_side.came.wait(), PATIENCE)
            assert (ends.client_side.settled, ends.client_side.left) == (1, b"")

    run(behaviour)


def test_a_closed_relay_leaves_all_to_the_protocol() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.relay.is_open = False
            ends.client.send(_heartbeat(1))
            await asyncio.wait_for(ends.client_side.came.wait(), PATIENCE)
            assert (ends.client_side.left, len(ends.row)) == (_heartbeat(1), 0)

    run(behaviour)


@pytest.mark.parametrize(("is_inspected", "acks"), [(False, 1), (False, 0), (True, 1)])
def test_large_requests_go_over_once_they_are_whole(is_inspected: bool, acks: int) -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            if is_inspected:
                ends.relay.inspect(None)
                ends.relay.know(TOPIC)
            await _expects_large(ends)
            awaited = len(ends.row)
            one, two, small = _produce(1, acks=acks), _produce(2, acks=acks), _produce(3, size=9, acks=acks)
            await _send(ends.client, one[:-1])
            await _settles(ends)
            with pytest.raises(BlockingIOError):
                ends.broker.recv(1)
            await _send(ends.client, one[-1:] + two + small)
            expected = one + two + small
            assert await _read_all(ends.broker, len(expected), ends.client_side) == expected
            assert len(ends.row) == awaited + 3 * acks

    run(behaviour)


def test_large_requests_that_a_socket_does_not_take_keep_their_turn() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            await _expects_large(ends)
            sent = b""
            while not ends.broker_side.full:
                request = _produce(len(ends.row) % 256, LARGE + len(ends.row))
                awaited = len(ends.row)
                await _send(ends.client, request)
                while len(ends.row) == awaited:
                    await asyncio.sleep(0)
                sent += request
            got = await _read_all(ends.broker, len(sent), ends.client_side)
            assert got == sent

    run(behaviour)


def test_a_large_request_goes_to_the_protocol_when_the_relay_closes_over_it() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            await _expects_large(ends)
            request = _produce(1)
            await _send(ends.client, request[:-1])
            await _settles(ends)
            ends.relay.is_open = False
            await _send(ends.client, request[-1:] + _heartbeat(2))
            assert await _read_all(ends.broker, len(request + _heartbeat(2)), ends.client_side) == b""
            assert ends.client_side.left == request + _heartbeat(2)

    run(behaviour)


def test_a_request_beyond_the_room_goes_to_the_protocol() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            await _expects_large(ends)
            request = _produce(1, ROOM)
            await _send(ends.client, request)
            assert await _read_all(ends.broker, len(request), ends.client_side) == b""
            assert ends.client_side.left == request

    run(behaviour)


def test_a_client_that_ends_amid_a_large_request_is_closed() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            await _expects_large(ends)
            await _send(ends.client, _produce(1)[:-1])
            await _settles(ends)
            ends.client.shutdown(socket.SHUT_WR)
            assert await asyncio.wait_for(asyncio.shield(ends.client_side.lost), PATIENCE) is None
            with pytest.raises(BlockingIOError):
                ends.broker.recv(1)

    run(behaviour)


def test_an_end_and_a_reset_close_the_transport() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.broker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            ends.broker.close()
            ends.client.shutdown(socket.SHUT_WR)
            lost = [asyncio.shield(one.lost) for one in (ends.client_side, ends.broker_side)]
            end, reset = await asyncio.wait_for(asyncio.gather(*lost), PATIENCE)
            assert end is None
            assert isinstance(reset, ConnectionResetError)

    run(behaviour)
