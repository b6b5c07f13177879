"""Turns Kafka APIs and the Kafka listeners of a gateway into addresses, and finds what cannot be served.

By host two APIs conflict where one's host can be another's, for its bootstrap or one of its brokers; by port
where their ports meet. The older keeps what it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock_operator.graph.types import Finding
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.gateway_deployment import GatewayDeployment, Listener
from penstock_operator.resources.kafka_api import KafkaListener
from penstock_operator.resources.kafka_routing import KafkaRouting

if TYPE_CHECKING:
    from penstock_operator.graph.items import Item

_PLACE: FieldPath = ("spec", "listeners", 0, "kafka")
_DIGITS = re.compile(r"\d+")
_ID = "{broker}"
_LONGEST_ID = "2147483647"


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where an API of type Kafka is to be found; `port` is None where it takes no ports."""

    name: str
    namespace: str
    port: int | None
    brokers: int

    @property
    def ports(self) -> range:
        """The bootstrap port and those of the brokers."""
        return range(self.port, self.port + 1 + self.brokers) if self.port else range(0)

    def bootstrap(self, listener: Listener) -> str | None:
        """`HOST:PORT` that clients begin with; None where the listener does not serve the API."""
        routing = listener.routing
        if routing is None or not _serves(routing, self):
            return None
        host = self.host(routing.bootstrap) if routing.bootstrap else str(routing.host)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{listener.port or self.port}"

    def host(self, pattern: str) -> str:
        """A pattern with the names of the API."""
        return pattern.replace("{api}", self.name).replace("{namespace}", self.namespace)


def address_of(api: ApiDefinition) -> KafkaAddress | None:
    """The address of an API; None where it is not of type Kafka."""
    listener = api.spec.listeners[0].kafka
    if listener is None:
        return None
    return KafkaAddress(kafka_name(api, listener), api.metadata.namespace, listener.port, listener.brokers)


def kafka_name(api: ApiDefinition, listener: KafkaListener) -> str:
    """What stands for `{api}`."""
    return listener.name or api.metadata.name


def fitting(gateway: GatewayDeployment, apis: list[Item]) -> list[Item]:
    """The APIs whose protocol a listener of the gateway has: most often all, in the list that is given."""
    protocols = {listener.protocol for listener in gateway.spec.listeners}
    kafka = [api for api in apis if api.kafka is not None]
    if protocols == {"Kafka"}:
        return kafka
    return [api for api in apis if api.kafka is None] if kafka and "Kafka" not in protocols else apis


def no_listener(item: Item) -> Finding:
    """Why no gateway serves an API that some would by their tags and namespaces."""
    protocol = "HTTP" if item.kafka is None else "Kafka"
    message = f"no gateway for it has a listener of the protocol {protocol}"
    return Finding("NotServed", message, ("spec", "listeners"), severity="Warning")


def find_unserved(gateway: GatewayDeployment, apis: Iterable[Item]) -> dict[str, Finding]:
    """Those of Kafka APIs that no listener of the gateway can serve, or not beside the others, by key."""
    found = {api.key: finding for api in apis if (finding := _unreachable(gateway, api)) is not None}
    return found | _conflicts(gateway, [api for api in apis if api.key not in found])


def without_client_ca(gateway: GatewayDeployment, address: KafkaAddress) -> Finding | None:
    """Why no client of an API can show a certificate, as a plan with mtls asks; None where one can."""
    listeners = [one for one in gateway.spec.listeners if one.routing and _serves(one.routing, address)]
    if any(listener.tls is not None and listener.tls.client_ca_ref is not None for listener in listeners):
        return None
    message = f"nobody passes: the gateway {gateway.key} has no listener with tls.clientCaRef for the API"
    return Finding("NoClientCa", message, ("spec", "security", "mtls"), severity="Warning")


def port_findings(api: ApiDefinition) -> Iterator[Finding]:
    """Ports of a Kafka API that cannot be."""
    address = address_of(api)
    if address is not None and address.ports and address.ports[-1] > 65535:
        message = f"the ports of its brokers would be up to {address.ports[-1]}, beyond 65535"
        yield Finding("InvalidPort", message, (*_PLACE, "port"))


def _serves(routing: KafkaRouting, address: KafkaAddress) -> bool:
    if routing.type == "Host":
        return True
    return bool(address.ports) and address.ports[0] in routing.ports and address.ports[-1] in routing.ports


def _unreachable(gateway: GatewayDeployment, item: Item) -> Finding | None:
    """Why no listener of a gateway serves a Kafka API; None where one does."""
    assert item.kafka is not None
    routings = [one.routing for one in gateway.spec.listeners if one.routing is not None]
    serving = [routing for routing in routings if _serves(routing, item.kafka)]
    if not serving:
        return _no_ports(gateway, item.kafka, routings)
    messages = (_wrong_host(routing, item.kafka) for routing in serving)
    message = next((f"{message} on the gateway {gateway.key}" for message in messages if message), None)
    return Finding("InvalidHost", message, _PLACE) if message else None


def _no_ports(gateway: GatewayDeployment, address: KafkaAddress, routings: list[KafkaRouting]) -> Finding:
    ranges = ", ".join(str(routing.range_) for routing in routings)
    if address.port is None:
        message = f"the gateway {gateway.key} tells APIs apart by port: `port` is needed, of {ranges}"
        return Finding("NoPort", message, _PLACE)
    ports = f"{address.ports[0]}-{address.ports[-1]}"
    message = f"its ports {ports} are not all in a range of the gateway {gateway.key}: {ranges}"
    return Finding("PortOutOfRange", message, (*_PLACE, "port"))


def _wrong_host(routing: KafkaRouting, address: KafkaAddress) -> str | None:
    """Why the hosts of an API cannot be."""
    if not routing.bootstrap or not routing.broker:
        return None
    bootstrap, broker = address.host(routing.bootstrap), address.host(routing.broker)
    longest = (bootstrap, broker.replace(_ID, _LONGEST_ID))
    wrong = next((host for host in longest if not _is_host(host)), None)
    if wrong is not None:
        return f"`{wrong}` is longer than a DNS name or label can be: that is its host"
    return f"its host `{bootstrap}` is that of a broker, too," if broker in _lookalikes(bootstrap) else None


def _is_host(host: str) -> bool:
    return len(host) <= 253 and all(0 < len(label) <= 63 for label in host.split("."))


@dataclass(frozen=True, slots=True)
class _Places:
    """What an API takes at one listener.

    `own` no other may have: ports, or hosts with `{broker}` in place of an id. The bootstrap host of an API
    may look like that of another's broker: `lookalikes` are those it would be.
    """

    own: tuple[tuple[str, int | str], ...]
    lookalikes: tuple[tuple[str, int | str], ...] = ()


@dataclass(slots=True)
class _Taken:
    """What the older APIs have."""

    own: dict[tuple[str, int | str], Item] = field(default_factory=dict)
    lookalikes: dict[tuple[str, int | str], Item] = field(default_factory=dict)

    def meets(self, places: _Places) -> tuple[int | str, Item] | None:
        """What is there already, and whose it is."""
        for one in places.own:
            if one in self.own or one in self.lookalikes:
                return one[1], self.own.get(one) or self.lookalikes[one]
        return next(((one[1], self.own[one]) for one in places.lookalikes if one in self.own), None)

    def take(self, places: _Places, item: Item) -> None:
        """Keep places for an API."""
        self.own.update(dict.fromkeys(places.own, item))
        self.lookalikes.update(dict.fromkeys(places.lookalikes, item))


def _conflicts(gateway: GatewayDeployment, items: list[Item]) -> dict[str, Finding]:
    taken, findings = _Taken(), dict[str, Finding]()
    for item in sorted(items, key=lambda one: one.age):
        places = list(_places_of(gateway, item))
        met = next((found for one in places if (found := taken.meets(one)) is not None), None)
        if met is None:
            for one in places:
                taken.take(one, item)
        else:
            findings[item.key] = _conflict(gateway, *met)
    return findings


def _conflict(gateway: GatewayDeployment, value: int | str, winner: Item) -> Finding:
    what, name = ("port", "port") if isinstance(value, int) else ("host", "name")
    message = (
        f"the {what} {value} is that of the older ApiDefinition {winner.key} on the gateway {gateway.key}"
    )
    return Finding("RouteConflict", message, (*_PLACE, name))


def _places_of(gateway: GatewayDeployment, item: Item) -> Iterator[_Places]:
    address = item.kafka
    assert address is not None
    for listener in gateway.spec.listeners:
        routing, name = listener.routing, listener.name
        if routing is None or not _serves(routing, address):
            continue
        if routing.bootstrap and routing.broker:
            bootstrap = address.host(routing.bootstrap)
            hosts = (bootstrap, address.host(routing.broker))
            yield _Places(
                tuple((name, host) for host in hosts),
                tuple((name, host) for host in _lookalikes(bootstrap)),
            )
        else:
            yield _Places(tuple((name, port) for port in address.ports))


def _lookalikes(bootstrap: str) -> Iterator[str]:
    """The hosts of brokers that a bootstrap host may be: each number in it may be an id."""
    for match in _DIGITS.finditer(bootstrap):
        yield f"{bootstrap[: match.start()]}{_ID}{bootstrap[match.end() :]}"
