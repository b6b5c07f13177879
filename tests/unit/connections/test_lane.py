"""The short way between two plain sockets: whole frames go over, the rest goes to the protocol."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from plain_ends import PATIENCE, RESET, End, connected, read, run

from gateway_runtime.connections.rooms import next_room
from gateway_runtime.kafka._relay import Relay
from gateway_runtime.kafka._relay import Row as RowInC
from gateway_runtime.kafka.passing import relay
from gateway_runtime.kafka.row import Row
from gateway_runtime.protocols.kafka.frames import RequestHeader, request_frame, response_frame
from gateway_runtime.protocols.kafka.messages import KEYS

HEARTBEAT, METADATA = 12, 3
OFFERED = {key: (api.lowest, api.highest) for key, api in KEYS.items()}
MOST = 200_000


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
