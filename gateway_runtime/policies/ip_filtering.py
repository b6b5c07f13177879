"""ipFiltering: lets in or refuses requests by the client's address."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated

from pydantic import Field, model_validator

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import Network

_REMEMBERED = 4096


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


def _request(configuration: IpFiltering, _environment: Environment) -> StepFunction:
    allow = [ip_network(text, strict=False) for text in configuration.allow]
    deny = [ip_network(text, strict=False) for text in configuration.deny]

    @lru_cache(_REMEMBERED)
    def is_let_in(text: str) -> bool:
        address = _parse(text)
        if address is None or any(address in network for network in deny):
            return False
        return not allow or any(address in network for network in allow)

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


POLICY = PolicyType("ipFiltering", IpFiltering, request=_request, errors={"IP_FILTERED": 403})
