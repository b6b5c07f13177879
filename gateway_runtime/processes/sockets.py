"""The listening sockets of all workers, held by the supervisor.

Each worker slot has a socket of its own at each address (SO_REUSEPORT), so that the kernel spreads
connections, and a worker that takes a dead one's place also takes over its queue.
"""

from __future__ import annotations

import socket
from typing import Final

from gateway_runtime.snapshot.types import HttpListener

_BACKLOG: Final = 4096

Address = tuple[str, int]


class ListeningSockets:
    """The sockets by address and slot. A change touches only the addresses that it is about."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._sockets: dict[Address, list[socket.socket]] = {}
        self.listeners: dict[Address, HttpListener] = {}

    def update(self, wanted: tuple[HttpListener, ...]) -> tuple[list[HttpListener], list[Address], list[str]]:
        """Open and close sockets; answers the new listeners, the closed addresses, and what failed."""
        by_address = {(listener.address, listener.port): listener for listener in wanted}
        closed = [address for address in self.listeners if address not in by_address]
        for address in closed:
            self._close(address)
        opened: list[HttpListener] = []
        failures: list[str] = []
        for address, listener in by_address.items():
            if address in self.listeners:
                continue
            try:
                self._sockets[address] = [_bind(address) for _ in range(self._slots)]
            except OSError as error:
                failures.append(
                    f"listener {listener.name}: cannot bind {address[0]}:{address[1]}: {error.strerror}"
                )
                continue
            self.listeners[address] = listener
            opened.append(listener)
        return opened, closed, failures

    def of_slot(self, slot: int, listener: HttpListener) -> socket.socket:
        """The socket of a worker slot."""
        return self._sockets[(listener.address, listener.port)][slot]

    def close(self) -> None:
        """Close all copies that the supervisor holds."""
        for address in list(self._sockets):
            self._close(address)

    def _close(self, address: Address) -> None:
        self.listeners.pop(address, None)
        for listening in self._sockets.pop(address, ()):
            listening.close()


def _bind(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
