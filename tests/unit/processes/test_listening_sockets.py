"""Which sockets an update of the wanted addresses touches."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from gateway_runtime.processes.sockets import ListeningSockets
from gateway_runtime.snapshot.kafka import KafkaListener, ListenerTls
from gateway_runtime.snapshot.openings import Opening
from gateway_runtime.snapshot.types import HttpListener

HOST = "127.0.0.1"


@pytest.fixture
def sockets() -> Iterator[ListeningSockets]:
    made = ListeningSockets(2)
    yield made
    made.close()


@pytest.fixture
def free() -> list[int]:
    held = [socket.create_server((HOST, 0)) for _ in range(3)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def kafka(port: int, tls: ListenerTls | None = None, host: str = "") -> Opening:
    listener = KafkaListener(name="kafka", address=HOST, port=1, last_port=65535, tls=tls, host=host)
    return Opening(port=port, kafka=listener)


def test_ports_that_come_and_go_leave_the_others_alone(sockets: ListeningSockets, free: list[int]) -> None:
    sockets.update((kafka(free[0]), kafka(free[1])))
    kept = sockets.of_slot(0, (HOST, free[0]))
    change = sockets.update((kafka(free[0]), kafka(free[2])))
    assert change.closed == [(HOST, free[1])]
    assert [opening.port for opening in change.opened] == [free[2]]
    assert sockets.of_slot(0, (HOST, free[0])) is kept


def test_a_listener_that_changes_keeps_its_socket(sockets: ListeningSockets, free: list[int]) -> None:
    sockets.update((kafka(free[0]),))
    kept = sockets.of_slot(0, (HOST, free[0]))
    change = sockets.update((kafka(free[0], host="edge.example"),))
    assert (change.opened, change.closed) == ([], [])
    assert sockets.of_slot(0, (HOST, free[0])) is kept
    assert sockets.openings[(HOST, free[0])] == kafka(free[0], host="edge.example")


def test_a_port_that_turns_to_something_else_is_opened_anew(
    sockets: ListeningSockets, free: list[int]
) -> None:
    http = Opening(port=free[0], http=HttpListener(name="http", address=HOST, port=free[0]))
    secured = kafka(free[0], ListenerTls(certificates=()))
    for before, after in ((http, kafka(free[0])), (kafka(free[0]), secured)):
        sockets.update((before,))
        change = sockets.update((after,))
        assert (change.opened, change.closed) == ([after], [(HOST, free[0])])


def test_a_port_that_is_taken_is_told_and_the_others_open(sockets: ListeningSockets, free: list[int]) -> None:
    with socket.create_server((HOST, free[0])):
        change = sockets.update((kafka(free[0]), kafka(free[1])))
    assert [opening.port for opening in change.opened] == [free[1]]
    assert change.failures == [f"listener kafka: cannot bind {HOST}:{free[0]}: Address already in use"]
