"""The listening sockets of all workers, held by the supervisor.

Each worker slot has a socket of its own at each address (SO_REUSEPORT), so that the kernel spreads
connections, and a worker that takes a dead one's place also takes over its queue.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Final

from gateway_runtime.snapshot.types import HttpListener

_BACKLOG: Final = 4096

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """The listeners that an update opened, the addresses that it closed, and what failed, for people."""

    opened: list[HttpListener] = field(default_factory=list)
    closed: list[Address] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class ListeningSockets:
    """The sockets by address and slot. A change touches only the addresses that it is about."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._sockets: dict[Address, list[socket.socket]] = {}
        self._own_ports: set[int] = set()
        self.listeners: dict[Address, HttpListener] = {}

    def update(self, wanted: tuple[HttpListener, ...]) -> Change:
        """Open and close sockets, so that those at the wanted addresses are open, as far as they can be."""
        by_address = {(listener.address, listener.port): listener for listener in wanted}
        change = Change(closed=[address for address in self.listeners if address not in by_address])
        for address in change.closed:
            self._close(address)
        for address, listener in by_address.items():
            if address not in self.listeners:
                self._open(address, listener, change)
        return change

    def _open(self, address: Address, listener: HttpListener, change: Change) -> None:
        try:
            self._sockets[address] = self._bind_all(address)
        except OSError as error:
            place = f"{address[0]}:{address[1]}"
            change.failures.append(f"listener {listener.name}: cannot bind {place}: {error.strerror}")
            return
        self.listeners[address] = listener
        change.opened.append(listener)

    def _bind_all(self, address: Address) -> list[socket.socket]:
        if address[1] not in self._own_ports:
            # SO_REUSEPORT would let two gateways of one user share a port unseen.
            _bind(address, shared=False).close()
        sockets: list[socket.socket] = []
        try:
            for _ in range(self._slots):
                sockets.append(_bind(address, shared=True))
                sockets[-1].listen(_BACKLOG)
        except OSError:
            for bound in sockets:
                bound.close()
            raise
        self._own_ports.add(address[1])
        return sockets

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


def _bind(address: Address, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
