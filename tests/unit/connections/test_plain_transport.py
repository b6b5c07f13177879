"""A transport of our own over a real socket: nothing is lost, doubled or reordered, and all ends in order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from plain_ends import PATIENCE, RESET, End, connected, read, run

from gateway_runtime.connections.plain_listening import PlainListening
from gateway_runtime.connections.plain_transport import connect

MANY = 8 << 20
"""Bytes: more than any socket takes at once."""


class Protocol(End):
    """Keeps what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.got = b""
        self.keeps_open = False
        self.fails = False
        self._room = memoryview(bytearray(65_536))

    def get_buffer(self, sizehint: int) -> memoryview:
        assert sizehint == -1
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        if self.fails:
            raise ValueError("a fault of the protocol")
        self.got += bytes(self._room[:nbytes])
        self.came.set()

    def take_read(self, first: int, nbytes: int) -> None:
        raise AssertionError((first, nbytes))

    def eof_received(self) -> bool:
        self.came.set()
        return self.keeps_open


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[Protocol, socket.socket]]:
    """A protocol, and the other end of its connection."""
    protocol = Protocol()
    async with connected(protocol) as peer:
        yield protocol, peer


def _bytes(count: int) -> bytes:
    return bytes(range(251)) * (count // 251 + 1)


def test_what_is_written_comes_whole_and_in_order_however_much_it_is() -> None:
    async def behaviour() -> None:
        async with _connected() as (protocol, peer):
            data = _bytes(MANY)
            protocol.there.write(b"begin ")
            protocol.there.writelines([data[at : at + 9_999] for at in range(0, len(data), 9_999)])
            protocol.there.write(b" middle ")
            protocol.there.writelines([memoryview(b"and"), bytearray(b" end")])
            expected = b"begin " + data + b" middle and end"
            assert await read(peer, len(expected)) == expected

    run(behaviour)


def test_a_protocol_is_told_when_too_much_waits_and_when_it_is_gone() -> None:
    async def behaviour() -> None:
        async with _connected() as (protocol, peer):
            protocol.there.set_write_buffer_limits(1 << 20)
            protocol.there.write(_bytes(MANY))
            assert protocol.full == [True]
            await read(peer, MANY)
            assert protocol.full == [True, False]

    run(behaviour)


def test_a_paused_transport_reads_nothing_and_loses_nothing() -> None:
    async def behaviour() -> None:
        async with _connected() as (protocol, peer):
            protocol.there.pause_reading()
            peer.send(b"one")
            await asyncio.sleep(0.05)  # nothing is to happen
            assert protocol.got == b""
            protocol.there.resume_reading()
            await asyncio.wait_for(protocol.came.wait(), PATIENCE)
            assert protocol.got == b"one"

    run(behaviour)


def test_a_transport_that_is_closed_writes_the_rest_first() -> None:
    async def behaviour() -> None:
        async with _connected() as (protocol, peer):
            protocol.there.write(_bytes(MANY))
            protocol.there.close()
            protocol.there.write(b"too late")
            assert protocol.there.is_closing()
            assert await read(peer, MANY + 500) == _bytes(MANY)
            assert await asyncio.wait_for(asyncio.shield(protocol.lost), PATIENCE) is None

    run(behaviour)


def test_an_aborted_transport_lets_the_rest_go_and_ends_once() -> None:
    async def behaviour() -> None:
        async with _connected() as (protocol, peer):
            protocol.there.write(_bytes(MANY))
            protocol.there.abort()
            protocol.there.abort()
            protocol.there.close()
            assert await asyncio.wait_for(asyncio.shield(protocol.lost), PATIENCE) is None
            assert len(await read(peer, MANY)) < MANY

    run(behaviour)


def test_the_end_of_what_is_written_comes_behind_it_and_the_peer_is_stillread() -> None:
    async def behaviour() -> None:
        async with _connected() as (protocol, peer):
            protocol.there.write(_bytes(MANY))
            protocol.there.write_eof()
            assert await read(peer, MANY + 500) == _bytes(MANY)
            peer.send(b"still here")
            await asyncio.wait_for(protocol.came.wait(), PATIENCE)
            assert protocol.got == b"still here"

    run(behaviour)


@pytest.mark.parametrize("keeps_open", [True, False])
def test_the_peers_end_closes_the_connection_unless_the_protocol_keeps_it(keeps_open: bool) -> None:
    async def behaviour() -> None:
        async with _connected() as (protocol, peer):
            protocol.keeps_open = keeps_open
            peer.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(protocol.came.wait(), PATIENCE)
            assert protocol.there.is_closing() is not keeps_open

    run(behaviour)


def test_a_reset_is_told_as_the_error_that_it_is() -> None:
    async def behaviour() -> None:
        async with _connected() as (protocol, peer):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            peer.close()
            error = await asyncio.wait_for(asyncio.shield(protocol.lost), PATIENCE)
            assert isinstance(error, ConnectionResetError)

    run(behaviour)


def test_a_protocol_that_fails_loses_its_connection_alone() -> None:
    async def behaviour() -> None:
        told: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        async with _connected() as (protocol, peer), _connected() as (other, other_peer):
            protocol.fails = True
            peer.send(b"x")
            assert isinstance(await asyncio.wait_for(asyncio.shield(protocol.lost), PATIENCE), ValueError)
            other_peer.send(b"y")
            await asyncio.wait_for(other.came.wait(), PATIENCE)
        assert told == ["a protocol failed"]

    run(behaviour)


def test_to_connect_where_nobody_listens_is_an_error() -> None:
    async def behaviour() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
        with pytest.raises(ConnectionRefusedError):
            await connect(asyncio.get_running_loop(), address, Protocol())

    run(behaviour)


def test_who_waits_when_a_listener_closes_is_taken() -> None:
    async def behaviour() -> None:
        loop, made = asyncio.get_running_loop(), []

        def factory() -> asyncio.BaseProtocol:
            made.append(Protocol())
            return made[-1]  # type: ignore[return-value]

        listening = PlainListening(loop, socket.create_server(("127.0.0.1", 0)), factory)
        await listening.open()
        with socket.create_connection(listening.socket.getsockname()):
            await listening.close()
            assert [str(one.there.get_extra_info("peername")[0]) for one in made] == ["127.0.0.1"]  # type: ignore[index]
            made[0].there.abort()
            await asyncio.wait_for(made[0].lost, PATIENCE)
        assert listening.socket.fileno() == -1

    run(behaviour)
