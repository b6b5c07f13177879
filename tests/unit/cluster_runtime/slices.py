"""EndpointSlices as the tests of discovery write them."""

from __future__ import annotations

from gateway_runtime.cluster.client import SERVICE_LABEL
from gateway_runtime.cluster.objects import (
    Conditions,
    EndpointSlice,
    Hints,
    Metadata,
    SliceEndpoint,
    SlicePort,
    Zone,
)

READY = Conditions(ready=True, serving=True, terminating=False)
NOT_READY = Conditions(ready=False, serving=False, terminating=False)
ENDING = Conditions(ready=False, serving=True, terminating=True)
ENDED = Conditions(ready=False, serving=False, terminating=True)


def endpoint(address: str, conditions: Conditions | None = READY, *zones: str) -> SliceEndpoint:
    """One backend."""
    hints = Hints(for_zones=[Zone(name) for name in zones]) if zones else None
    return SliceEndpoint([address], conditions, hints)


def endpoint_slice(
    *endpoints: SliceEndpoint,
    name: str = "orders-1",
    service: str = "orders",
    family: str = "IPv4",
    ports: tuple[SlicePort, ...] = (SlicePort("http", "TCP", 8080),),
) -> EndpointSlice:
    """Some endpoints of a Service."""
    metadata = Metadata(name=name, resource_version="1", labels={SERVICE_LABEL: service})
    return EndpointSlice(metadata, family, list(endpoints), list(ports))
