"""Clients that only stay connected -> the memory that each costs a proxy."""

from __future__ import annotations

import resource
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.kafka.peers import Started
from bench.processes import memory

_API_VERSIONS = 18
_METADATA = 3
_SETTLE = 2.0
_FILES = 16384


def memory_per_thousand(peer: Started, count: int) -> float:
    """MiB (PSS) that a thousand idle connections cost; each has asked for metadata before it rests."""
    assert peer.server
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, hard), hard))
    worker = peer.server.worker()
    with _connected(peer, 1):
        before = memory(worker).pss
    with _connected(peer, count):
        time.sleep(_SETTLE)
        return round((memory(worker).pss - before) / count * 1000, 2)


@contextmanager
def _connected(peer: Started, count: int) -> Iterator[None]:
    host, _, port = peer.properties["bootstrap.servers"].rpartition(":")
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection((host, int(port)), 30))
            _ask(connection, _API_VERSIONS, 0, b"")
            _ask(connection, _METADATA, 1, struct.pack(">i", 0))
        yield


def _ask(connection: socket.socket, key: int, version: int, body: bytes) -> None:
    request = struct.pack(">hhih", key, version, 1, -1) + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", _exactly(connection, 4))
    _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise RuntimeError("the proxy closed an idle client's connection")
        data += more
    return data
