"""ipFiltering: lets in or refuses requests by the client's address."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Annotated

from pydantic import Field, model_validator

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import Network

_REMEMBERED = 4096
_MAPPED_BITS = 96
"""Before the IPv4 part of ::ffff:0:0/96 (RFC 4291 section 2.5.5.2)."""


class IpFiltering(PolicyConfiguration):
    """Refuses requests by the client's address, as the peer or a trusted proxy gives it.

    A denied address is refused even where it is allowed too; with any allow, all others are refused.
    """

    allow: Annotated[
        tuple[Network, ...],
        Field(strict=False, max_length=1000, description="Addresses and CIDR ranges that are let in."),
    ] = ()
    deny: Annotated[
        tuple[Network, ...],
        Field(strict=False, max_length=1000, description="Addresses and CIDR ranges that are refused."),
    ] = ()

    @model_validator(mode="after")
    def _does_something(self) -> IpFiltering:
        if not self.allow and not self.deny:
            raise ValueError("allow or deny is needed")
        return self


class _Ranges:
    """Sorted networks that do not overlap, as ranges of numbers: many cost a search, not a walk."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, merged: list[IPv4Network] | list[IPv6Network]) -> None:
        self._starts = [int(network.network_address) for network in merged]
        self._ends = [int(network.broadcast_address) for network in merged]

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._starts, number) - 1
        return index >= 0 and number <= self._ends[index]


class _Addresses:
    """Networks of both families; IPv4 addresses mapped into IPv6 are taken as IPv4."""

    __slots__ = ("_four", "_six")

    def __init__(self, texts: tuple[str, ...]) -> None:
        networks = [_unmapped(ip_network(text, strict=False)) for text in texts]
        self._four = _Ranges(list(collapse_addresses(n for n in networks if isinstance(n, IPv4Network))))
        self._six = _Ranges(list(collapse_addresses(n for n in networks if isinstance(n, IPv6Network))))

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        return int(address) in (self._four if isinstance(address, IPv4Address) else self._six)


def _request(configuration: IpFiltering, _environment: Environment) -> StepFunction:
    allow, deny = _Addresses(configuration.allow), _Addresses(configuration.deny)
    allows_all = not configuration.allow

    @lru_cache(_REMEMBERED)
    def is_let_in(text: str) -> bool:
        address = _parse(text)
        return address is not None and address not in deny and (allows_all or address in allow)

    def step(exchange: Exchange) -> Reply | None:
        if is_let_in(exchange.request.remote_address):
            return None
        return Reply(403, "IP_FILTERED", "The client's address is not allowed.")

    return step


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


POLICY = PolicyType("ipFiltering", IpFiltering, request=_request, errors={"IP_FILTERED": 403})
