"""The short way between two plain sockets: whole frames go over, the rest goes to the protocol."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import uvloop

from gateway_runtime.connections.plain_transport import PlainTransport, connect
from gateway_runtime.connections.rooms import next_room
from gateway_runtime.kafka._relay import Relay
from gateway_runtime.kafka._relay import Row as RowInC
from gateway_runtime.kafka.passing import relay
from gateway_runtime.kafka.row import Row
from gateway_runtime.protocols.kafka.frames import RequestHeader, request_frame, response_frame
from gateway_runtime.protocols.kafka.messages import KEYS

HEARTBEAT, METADATA = 12, 3
OFFERED = {key: (api.lowest, api.highest) for key, api in KEYS.items()}
PATIENCE = 10
MOST = 200_000


class Protocol:
    """Keeps what the lane leaves."""

    def __init__(self, is_client: bool) -> None:
        self.is_client = is_client
        self.transport: PlainTransport | None = None
        self.left = b""
        self.settled = 0
        self.came = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.is_full = asyncio.Event()

    @property
    def there(self) -> PlainTransport:
        assert self.transport is not None
        return self.transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, PlainTransport)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        assert sizehint == -1
        return next_room()

    def buffer_updated(self, nbytes: int) -> None:
        self.take_read(0, nbytes)

    def take_read(self, first: int, nbytes: int) -> None:
        self.left += bytes(next_room()[first : first + nbytes])
        self.came.set()

    def is_amid_frame(self) -> bool:
        return False

    def settle(self) -> None:
        self.settled += 1
        self.came.set()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.is_full.set()

    def resume_writing(self) -> None:
        self.is_full.clear()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set_result(error)


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
    async with AsyncExitStack() as stack:
        (client, client_side), (broker, broker_side) = await _end(stack, True), await _end(stack, False)
        row = RowInC()
        made = relay(row, OFFERED)
        assert made is not None
        made.limit(1 << 20, MOST)
        made.is_open = True
        for one, other in ((client_side, broker_side), (broker_side, client_side)):
            assert one.there.lane is not None
            one.there.lane.join(made, one, other.there)
        yield Between(made, row, client, broker, client_side, broker_side)


async def _end(stack: AsyncExitStack, is_client: bool) -> tuple[socket.socket, Protocol]:
    protocol = Protocol(is_client)
    with socket.create_server(("127.0.0.1", 0)) as server:
        await connect(asyncio.get_running_loop(), server.getsockname(), protocol)
        peer = stack.enter_context(server.accept()[0])
    peer.setblocking(False)

    async def close() -> None:
        protocol.there.abort()
        await asyncio.wait_for(protocol.lost, PATIENCE)

    stack.push_async_callback(close)
    return peer, protocol


async def _read(peer: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        got += await asyncio.wait_for(asyncio.get_running_loop().sock_recv(peer, 1 << 18), PATIENCE)
    return got


def _heartbeat(number: int, size: int = 10) -> bytes:
    message = {"GroupId": "g", "MemberId": "m" * size}
    return b"".join(request_frame(RequestHeader(HEARTBEAT, 4, number, "me", 0), message))


def _alive(number: int) -> bytes:
    return b"".join(response_frame(HEARTBEAT, 4, number, {}))


def _run(behaviour: Callable[[], object]) -> None:
    uvloop.run(asyncio.wait_for(behaviour(), 30))  # type: ignore[arg-type]


def test_requests_and_their_responses_go_over_without_the_protocols() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.client.send(_heartbeat(1) + _heartbeat(2))
            assert await _read(ends.broker, 2 * len(_heartbeat(1))) == _heartbeat(1) + _heartbeat(2)
            assert len(ends.row) == 2
            ends.broker.send(_alive(1) + _alive(2))
            assert await _read(ends.client, 2 * len(_alive(1))) == _alive(1) + _alive(2)
            assert (len(ends.row), ends.client_side.left, ends.broker_side.left) == (0, b"", b"")

    _run(behaviour)


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
            assert await _read(ends.broker, len(_heartbeat(1))) == _heartbeat(1)
            await asyncio.wait_for(ends.client_side.came.wait(), PATIENCE)
            assert ends.client_side.left == broken

    _run(behaviour)


def test_behind_what_waits_to_be_written_frames_keep_their_turn() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            waiting = bytes(8 << 20)
            ends.broker_side.there.write(waiting)
            assert ends.broker_side.is_full.is_set()
            ends.client.send(_heartbeat(1))
            while not len(ends.row):
                await asyncio.sleep(0)
            expected = waiting + _heartbeat(1)
            assert await _read(ends.broker, len(expected)) == expected
            ends.client.send(_heartbeat(2))
            assert await _read(ends.broker, len(_heartbeat(2))) == _heartbeat(2)

    _run(behaviour)


def test_the_protocol_settles_when_no_more_may_be_awaited() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.relay.limit(1 << 20, 2)
            ends.client.send(_heartbeat(1) + _heartbeat(2))
            await asyncio.wait_for(ends.client_side.came.wait(), PATIENCE)
            assert (ends.client_side.settled, ends.client_side.left) == (1, b"")

    _run(behaviour)


def test_a_closed_relay_leaves_all_to_the_protocol() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.relay.is_open = False
            ends.client.send(_heartbeat(1))
            await asyncio.wait_for(ends.client_side.came.wait(), PATIENCE)
            assert (ends.client_side.left, len(ends.row)) == (_heartbeat(1), 0)

    _run(behaviour)


def test_an_end_and_a_reset_close_the_transport() -> None:
    async def behaviour() -> None:
        async with _between() as ends:
            ends.broker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            ends.broker.close()
            ends.client.shutdown(socket.SHUT_WR)
            lost = [asyncio.shield(one.lost) for one in (ends.client_side, ends.broker_side)]
            end, reset = await asyncio.wait_for(asyncio.gather(*lost), PATIENCE)
            assert end is None
            assert isinstance(reset, ConnectionResetError)

    _run(behaviour)
