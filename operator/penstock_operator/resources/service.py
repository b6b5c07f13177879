"""Turns a core `Service` into what an endpoint may refer to: its ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class PortOfService(NamedTuple):
    """One TCP port; a Service's only port may have no name."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Service:
    """A Service of a cluster; `is_external` tells that it is an alias of a name elsewhere."""

    ports: tuple[PortOfService, ...]
    is_external: bool = False

    def port(self, wanted: int | str) -> PortOfService | None:
        """The port of that number or name."""
        return next((port for port in self.ports if wanted in (port.name, port.number)), None)


Services = Mapping[str, Service]
"""The Services of a cluster by `namespace/name`."""


def service_of(data: Mapping[str, Any]) -> Service:
    """The Service of an object as the API server has it."""
    spec = data.get("spec") or {}
    ports = tuple(
        PortOfService(port.get("name", ""), port["port"])
        for port in spec.get("ports") or ()
        if port.get("protocol", "TCP") == "TCP"
    )
    return Service(ports, spec.get("type") == "ExternalName")
