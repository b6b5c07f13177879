"""The listening sockets of all workers, held by the supervisor.

Each worker slot has a socket of its own at each address (SO_REUSEPORT), so that the kernel spreads
connections, and a worker that takes a dead one's place also takes over its queue.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway_runtime.snapshot.openings import Opening
from gateway_runtime.snapshot.types import Address

_BACKLOG: Final = 4096


@dataclass(frozen=True, slots=True)
class Change:
    """The addresses that an update opened and closed, and what failed, for people."""

    opened: list[Opening] = field(default_factory=list)
    closed: list[Address] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class ListeningSockets:
    """The sockets by address and slot. A change touches only the addresses that it is about."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._sockets: dict[Address, list[socket.socket]] = {}
        self._own_ports: set[int] = set()
        self.openings: dict[Address, Opening] = {}

    def update(self, wanted: tuple[Opening, ...]) -> Change:
        """Open and close sockets, so that those at the wanted addresses are open, as far as they can be.

        An address at which something else is wanted is opened anew.
        """
        by_address = {opening.address: opening for opening in wanted}
        change = Change(closed=[address for address in self.openings if self._ends(address, by_address)])
        for address in change.closed:
            self._close(address)
        for address, opening in by_address.items():
            if address in self.openings:
                self.openings[address] = opening
            else:
                self._open(address, opening, change)
        return change

    def _ends(self, address: Address, wanted: Mapping[Address, Opening]) -> bool:
        return address not in wanted or wanted[address].identity != self.openings[address].identity

    def _open(self, address: Address, opening: Opening, change: Change) -> None:
        try:
            self._sockets[address] = self._bind_all(address)
        except OSError as error:
            place = f"{address[0]}:{address[1]}"
            name = opening.listener.name
            change.failures.append(f"listener {name}: cannot bind {place}: {error.strerror}")
            return
        self.openings[address] = opening
        change.opened.append(opening)

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

    def of_slot(self, slot: int, address: Address) -> socket.socket:
        """The socket of a worker slot."""
        return self._sockets[address][slot]

    def close(self) -> None:
        """Close all copies that the supervisor holds."""
        for address in list(self._sockets):
            self._close(address)

    def _close(self, address: Address) -> None:
        self.openings.pop(address, None)
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
