"""The listeners of a gateway -> the ports of its pods and of its Service."""

from __future__ import annotations

import ipaddress
from typing import Final

from penstock_operator.resources.gateway_deployment import GatewayDeploymentSpec, Listener

_ADMIN: Final = 9900
_PRIVILEGED: Final = 1024
"""Ports below need a right, or a sysctl that takes the need away."""


def admin_port(spec: GatewayDeploymentSpec) -> int:
    """The port of probes and metrics: 9900, or the next that no listener has."""
    taken = {listener.port for listener in spec.listeners}
    return next(port for port in range(_ADMIN, 2**16) if port not in taken)


def reachable(spec: GatewayDeploymentSpec) -> list[Listener]:
    """The listeners that can be reached from outside of a pod; of those of one port the first."""
    found: dict[int, Listener] = {}
    for listener in spec.listeners:
        if not ipaddress.ip_address(listener.address).is_loopback:
            found.setdefault(listener.port, listener)
    return list(found.values())


def has_privileged(spec: GatewayDeploymentSpec) -> bool:
    """Whether a listener has a port that only root may bind by default."""
    return any(listener.port < _PRIVILEGED for listener in spec.listeners)
