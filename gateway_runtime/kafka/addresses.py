"""Addresses of brokers in responses: a client sees those of the gateway alone.

Where they are: Metadata, DescribeCluster, FindCoordinator, the endpoints of new leaders (KIP-951) in Produce,
Fetch, ShareFetch and ShareAcknowledge, and those of controllers in DescribeQuorum, which are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from gateway_runtime.protocols.kafka.messages import Message
from gateway_runtime.snapshot.kafka import KafkaApi, KafkaListener


class Address(NamedTuple):
    """Host and port."""

    host: str
    port: int


Learn = Callable[[int, str, int], None]
"""Takes the id, the host and the port of a broker."""


class AddressBook:
    """Where clients of one API find its brokers, through the listener that they came by.

    `learn` is told of each broker that a response has the address of.
    """

    __slots__ = ("_api", "_by_id", "_listener", "_namespace", "learn")

    def __init__(self, listener: KafkaListener, api: KafkaApi, namespace: str, learn: Learn) -> None:
        self.learn = learn
        self._listener = listener
        self._api = api
        self._namespace = namespace
        self._by_id: dict[int, Address | None] = {}

    def broker(self, number: int) -> Address | None:
        """The address of a broker by its id; None where there is no port for its id."""
        if number not in self._by_id:
            if len(self._by_id) > _MOST_BROKERS:
                self._by_id.clear()
            self._by_id[number] = self._made(number)
        return self._by_id[number]

    def _made(self, number: int) -> Address | None:
        listener, api = self._listener, self._api
        if listener.broker:
            return Address(host_of(listener.broker, api.name, self._namespace, number), listener.port)
        offset = number - api.first_broker
        return Address(listener.host, api.port + 1 + offset) if 0 <= offset < api.brokers else None


_MOST_BROKERS: Final = 4096


def host_of(pattern: str, api: str, namespace: str, broker: int | None = None) -> str:
    """The host name that a pattern of a listener makes."""
    host = pattern.replace("{api}", api).replace("{namespace}", namespace)
    return host if broker is None else host.replace("{broker}", str(broker))


Rewrite = Callable[[Message, AddressBook], bool]
"""Puts the gateway's addresses into a response; answers whether it had any."""


def _endpoints(place: str, number: str) -> Rewrite:
    """Addresses in a list of structs; brokers that a client cannot reach are left out."""

    def rewrite(message: Message, book: AddressBook) -> bool:
        found = message.get(place)
        if not found:
            return False
        message[place] = list(_reachable(found, number, book))
        return True

    return rewrite


def _reachable(nodes: list[Message], number: str, book: AddressBook) -> Iterator[Message]:
    for node in nodes:
        book.learn(node[number], node["Host"], node["Port"])
        address = book.broker(node[number])
        if address is not None:
            node["Host"], node["Port"] = address
            yield node


def _coordinator(message: Message, book: AddressBook) -> bool:
    """FindCoordinator: one at the top to version 3, then a list; -1 is none."""
    for found in message.get("Coordinators", (message,)):
        number = found.get("NodeId", -1)
        if number < 0:
            found["Host"], found["Port"] = "", -1
            continue
        address = book.broker(number)
        if address is None:
            found |= {"NodeId": -1, "Host": "", "Port": -1, "ErrorCode": _COORDINATOR_NOT_AVAILABLE}
        else:
            found["Host"], found["Port"] = address
    return True


def _no_controllers(message: Message, _: AddressBook) -> bool:
    message["Nodes"] = []
    return True


_COORDINATOR_NOT_AVAILABLE: Final = 15

REWRITES: Final[dict[int, Rewrite]] = {
    0: _endpoints("NodeEndpoints", "NodeId"),
    1: _endpoints("NodeEndpoints", "NodeId"),
    3: _endpoints("Brokers", "NodeId"),
    10: _coordinator,
    55: _no_controllers,
    60: _endpoints("Brokers", "BrokerId"),
    78: _endpoints("NodeEndpoints", "NodeId"),
    79: _endpoints("NodeEndpoints", "NodeId"),
}
"""By API key; responses of all others have no address."""

OF_NEW_LEADERS: Final = frozenset((0, 1))
"""API keys whose responses have addresses only in tags, and those seldom."""
