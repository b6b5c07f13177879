"""Checks the addresses that a gateway connects to and listens on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway_runtime.expressions.scan import START
from penstock_operator.graph.types import Finding
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.gateway_deployment import GatewayDeployment


def invalid_endpoints(api: ApiDefinition) -> Iterator[Finding]:
    """Endpoint URLs with a host or port that cannot be."""
    for index, group in enumerate(api.spec.endpoint_groups):
        for number, endpoint in enumerate(group.endpoints):
            if endpoint.url is None or START in endpoint.url:
                continue
            message = url_error(endpoint.url)
            if message:
                path = ("spec", "endpointGroups", index, "endpoints", number, "url")
                yield Finding("InvalidUrl", message, path)


def invalid_addresses(gateway: GatewayDeployment) -> Iterator[Finding]:
    """Listener addresses that are no IP addresses, or taken by another listener of the gateway."""
    taken: dict[tuple[str, int], str] = {}
    for index, listener in enumerate(gateway.spec.listeners):
        other = taken.setdefault((listener.address, listener.port), listener.name)
        if other != listener.name:
            message = f"the listener `{other}` has {listener.address}:{listener.port} already"
            yield Finding("DuplicateListener", message, ("spec", "listeners", index, "port"))
        try:
            ipaddress.ip_address(listener.address)
        except ValueError:
            message = f"`{listener.address}` is no IP address; 0.0.0.0 listens on all of IPv4"
            yield Finding("InvalidAddress", message, ("spec", "listeners", index, "address"))


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
