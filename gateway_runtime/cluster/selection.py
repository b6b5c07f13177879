"""The EndpointSlices of a Service to the addresses that requests are sent to.

The rules are those of kube-proxy (KEP-1669, KEP-2433), so that a backend needs no other set-up than for it:
ready endpoints; where none is ready, those that end but still serve; of ready ones those for the pod's own
zone, where the slices say which they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway_runtime.cluster.objects import Conditions, EndpointSlice, SliceEndpoint
from gateway_runtime.snapshot.types import Address

_FAMILIES: Final = ("IPv4", "IPv6")
_ALL: Final = Conditions()


@dataclass(frozen=True, slots=True)
class _Found:
    """An endpoint at the port that is asked for; `zones` is None where no zone is hinted at."""

    address: Address
    is_ready: bool
    zones: frozenset[str] | None


def addresses_of(slices: Iterable[EndpointSlice], port: str, zone: str = "") -> tuple[Address, ...]:
    """The addresses of the port of that name, in an order of their own. `zone` is the pod's, empty: unknown.

    Of two families of addresses one is used, IPv4 where it will do: both lead to the same pods.
    """
    known = tuple(slices)
    families = [[*_usable(known, port, family)] for family in _FAMILIES]
    ready = next((found for family in families if (found := [one for one in family if one.is_ready])), None)
    if ready is not None:
        return _sorted(_of_zone(ready, zone))
    return _sorted(next((family for family in families if family), []))


def _usable(slices: Iterable[EndpointSlice], port: str, family: str) -> Iterator[_Found]:
    """What is ready, or ends but serves still."""
    for one in slices:
        number = _port_of(one, port) if one.address_type == family else None
        for endpoint in (one.endpoints or ()) if number is not None else ():
            conditions = endpoint.conditions or _ALL
            is_ready = conditions.ready is not False
            ends = bool(conditions.serving) and bool(conditions.terminating)
            if endpoint.addresses and number is not None and (is_ready or ends):
                yield _Found((endpoint.addresses[0], number), is_ready, _zones(endpoint))


def _port_of(one: EndpointSlice, name: str) -> int | None:
    """The number of a TCP port, which may differ from slice to slice."""
    for port in one.ports or ():
        if (port.name or "") == name and (port.protocol or "TCP") == "TCP":
            return port.port
    return None


def _zones(endpoint: SliceEndpoint) -> frozenset[str] | None:
    hinted = endpoint.hints.for_zones if endpoint.hints is not None else None
    return frozenset(zone.name for zone in hinted) if hinted else None


def _of_zone(ready: list[_Found], zone: str) -> list[_Found]:
    """Those for the zone; all where one has no hint, or none is for the zone: then hints are incomplete."""
    if not zone or any(one.zones is None for one in ready):
        return ready
    return [one for one in ready if one.zones is not None and zone in one.zones] or ready


def _sorted(found: Iterable[_Found]) -> tuple[Address, ...]:
    """Each once, though an endpoint may be in two slices while it moves from one to the other."""
    return tuple(sorted({one.address for one in found}))
