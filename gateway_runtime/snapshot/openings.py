"""A snapshot to the addresses at which its gateway accepts, each with the listener that it is of."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_runtime.snapshot.kafka import KafkaListener
from gateway_runtime.snapshot.types import Address, HttpListener, Snapshot
from gateway_runtime.snapshot.wire import Wire


class Opening(Wire):
    """One port of a listener: of exactly one kind."""

    port: int
    http: HttpListener | None = None
    kafka: KafkaListener | None = None

    @property
    def listener(self) -> HttpListener | KafkaListener:
        """The listener that it is of."""
        listener = self.http or self.kafka
        assert listener is not None
        return listener

    @property
    def address(self) -> Address:
        """Where it is."""
        return (self.listener.address, self.port)

    @property
    def identity(self) -> tuple[str, ...]:
        """While it stays, so does the socket there: what is spoken from a connection's first byte on.

        The certificates of a listener with TLS go by its name.
        """
        if self.kafka is None:
            return ("HTTP",)
        return ("Kafka",) if self.kafka.tls is None else ("Kafka over TLS", self.kafka.name)


def openings(snapshot: Snapshot) -> tuple[Opening, ...]:
    """Where a gateway accepts. Of two listeners at one address the first has it."""
    https = (Opening(port=one.port, http=one) for one in snapshot.gateway.listeners)
    found: dict[Address, Opening] = {}
    for opening in (*https, *kafka_openings(snapshot)):
        found.setdefault(opening.address, opening)
    return tuple(found.values())


def kafka_openings(snapshot: Snapshot) -> Iterator[Opening]:
    """Those of Kafka listeners: one port where names tell APIs apart, else those of APIs in its range."""
    listeners = snapshot.gateway.kafka_listeners
    ports = _ports(snapshot) if any(not one.bootstrap for one in listeners) else ()
    for listener in listeners:
        if listener.bootstrap:
            yield Opening(port=listener.port, kafka=listener)
        else:
            last = max(listener.port, listener.last_port)
            yield from (Opening(port=port, kafka=listener) for port in ports if listener.port <= port <= last)


def _ports(snapshot: Snapshot) -> tuple[int, ...]:
    """The ports of all Kafka APIs: of each its bootstrap, and one for each broker."""
    apis = (entry.section.kafka for entry in snapshot.apis.values())
    return tuple(
        sorted(
            {port for api in apis if api and api.port for port in range(api.port, api.port + api.brokers + 1)}
        )
    )
