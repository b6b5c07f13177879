"""The listeners of a gateway -> the ports of its pods and of its Service."""

from __future__ import annotations

import ipaddress
from typing import Final, NamedTuple

from penstock_operator.deploy.identity import short_digest
from penstock_operator.resources.gateway_deployment import GatewayDeploymentSpec, Listener

_ADMIN: Final = 9900
_PRIVILEGED: Final = 1024
"""Ports below need a right, or a sysctl that takes the need away."""
_LONGEST_LABEL: Final = 63


class ReachablePort(NamedTuple):
    """A port of the pods and of the Service, and whose it is."""

    number: int
    name: str
    listener: Listener


def admin_port(spec: GatewayDeploymentSpec) -> int:
    """The port of probes and metrics: 9900, or the next that no listener has."""
    taken = {port for listener in spec.listeners for port in listener.ports}
    return next(port for port in range(_ADMIN, 2**16) if port not in taken)


def reachable(spec: GatewayDeploymentSpec) -> list[ReachablePort]:
    """The ports that can be reached from outside of a pod; of listeners of one port the first has it."""
    found: dict[int, ReachablePort] = {}
    for listener in spec.listeners:
        if not ipaddress.ip_address(listener.address).is_loopback:
            for port in listener.ports:
                found.setdefault(port, ReachablePort(port, _name(listener, port), listener))
    return list(found.values())


def has_privileged(spec: GatewayDeploymentSpec) -> bool:
    """Whether a listener has a port that only root may bind by default."""
    return any(port < _PRIVILEGED for listener in spec.listeners for port in listener.ports)


def _name(listener: Listener, port: int) -> str:
    """A DNS label, as names of a Service's ports are; ports of a range have their number in it."""
    if listener.port is not None:
        return listener.name
    name = f"{listener.name}-{port}"
    return name if len(name) <= _LONGEST_LABEL else f"{short_digest(listener.name)}-{port}"
