"""Checks the addresses that a gateway connects to and listens on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from gateway_runtime.expressions.scan import START
from penstock_operator.graph.types import Finding
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.gateway_deployment import GatewayDeployment, Listener
from penstock_operator.resources.kafka_api import KafkaEndpoint


def invalid_endpoints(api: ApiDefinition) -> Iterator[Finding]:
    """Endpoint URLs, and servers of Kafka clusters, with a host or port that cannot be."""
    for index, group in enumerate(api.spec.endpoint_groups):
        for number, endpoint in enumerate(group.endpoints):
            place: FieldPath = ("spec", "endpointGroups", index, "endpoints", number)
            if endpoint.kafka is not None:
                yield from _invalid_servers(endpoint.kafka, (*place, "kafka", "bootstrapServers"))
            if endpoint.url is None or START in endpoint.url:
                continue
            message = url_error(endpoint.url)
            if message:
                yield Finding("InvalidUrl", message, (*place, "url"))


def _invalid_servers(endpoint: KafkaEndpoint, path: FieldPath) -> Iterator[Finding]:
    for index, server in enumerate(endpoint.bootstrap_servers):
        message = None if START in server else url_error(f"kafka://{server}")
        if message:
            message = message.replace("kafka://", "").replace("valid URL", "valid address")
            yield Finding("InvalidAddress", message, (*path, index))


def invalid_addresses(gateway: GatewayDeployment) -> Iterator[Finding]:
    """Listener addresses that are no IP addresses, or ports that another listener of the gateway has."""
    taken: dict[tuple[str, int], str] = {}
    ranged = _names_of_ports(gateway.spec.listeners)
    for index, listener in enumerate(gateway.spec.listeners):
        owners = {port: taken.setdefault((listener.address, port), listener.name) for port in listener.ports}
        port = next((port for port, other in owners.items() if other != listener.name), None)
        if port is not None:
            message = f"the listener `{owners[port]}` has {listener.address}:{port} already"
            field = ("port",) if listener.port else ("routing", "range")
            yield Finding("DuplicateListener", message, ("spec", "listeners", index, *field))
        try:
            ipaddress.ip_address(listener.address)
        except ValueError:
            message = f"`{listener.address}` is no IP address; 0.0.0.0 listens on all of IPv4"
            yield Finding("InvalidAddress", message, ("spec", "listeners", index, "address"))
        if listener.name in ranged:
            message = f"`{listener.name}` is the name of a port of the listener `{ranged[listener.name]}`"
            yield Finding("DuplicateListener", message, ("spec", "listeners", index, "name"))


def _names_of_ports(listeners: Iterable[Listener]) -> dict[str, str]:
    """The names that ports of ranges have in the Service -> their listeners."""
    ranges = [listener for listener in listeners if listener.port is None]
    return {f"{listener.name}-{port}": listener.name for listener in ranges for port in listener.ports}


def url_error(url: str) -> str | None:
    """What is wrong with the host and port of a URL (RFC 3986 section 3.2); None where nothing is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"`{url}` is not a valid URL: {error}"
    if port == 0:
        return f"`{url}` is not a valid URL: the port must be 1 to 65535"
    if not host or not host.isascii() or any(len(label) > 63 for label in host.split(".")):
        return f"`{url}` is not a valid URL: the host must be a DNS name or an IP address"
    return None
