"""Who the client is, and what backends are told of it.

A peer's own Forwarded and X-Forwarded-* fields are believed, and added to, only where the gateway trusts that
peer; otherwise they are replaced (RFC 7239 section 8.1).
"""

from __future__ import annotations

import ipaddress
from typing import Final

from gateway_runtime.exchange import Headers
from gateway_runtime.protocols.http1.request import RequestHead

_OWN_NAMES: Final = [b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"via"]
_VIA: Final = b"via: 1.1 penstock"


class TrustedProxies:
    """The networks whose word on the client is taken."""

    __slots__ = ("_networks",)

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def __contains__(self, address: object) -> bool:
        if not self._networks or not isinstance(address, str):
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self._networks)


class ClientIdentity:
    """What is told of one client connection; the lines are made once for each Host it asks for."""

    __slots__ = ("_authority", "_lines", "address", "node", "trusted")

    def __init__(self, address: str, trusted: bool) -> None:
        self.address = address
        self.trusted = trusted
        self.node = f'"[{address}]"' if ":" in address else address
        self._authority: str = ""
        self._lines: list[bytes] = []

    def mark(self, head: RequestHead, proxies: TrustedProxies) -> str:
        """Put the fields on a request; answers the client's address."""
        request = head.request
        headers = request.headers
        if self.trusted and head.forwarded is not None:
            return self._extend(head, proxies)
        if request.authority != self._authority or not self._lines:
            self._lines = self._own_lines(request.authority)
            self._authority = request.authority
        headers.names.extend(_OWN_NAMES)
        headers.lines.extend(self._lines)
        return self.address

    def _own_lines(self, authority: str) -> list[bytes]:
        host = authority.encode("latin-1")
        quoted = b'"' + host + b'"' if b":" in host else host
        forwarded = b"forwarded: for=" + self.node.encode("ascii")
        if host:
            forwarded += b";host=" + quoted
        return [
            b"x-forwarded-for: " + self.address.encode("ascii"),
            b"x-forwarded-proto: http",
            b"x-forwarded-host: " + host,
            forwarded + b";proto=http",
            _VIA,
        ]

    def _extend(self, head: RequestHead, proxies: TrustedProxies) -> str:
        """Add this hop to what a trusted peer reported."""
        given = Headers(head.forwarded_names or [], head.forwarded or [])
        chain = given.get("x-forwarded-for")
        headers = head.request.headers
        for name, own in zip(_OWN_NAMES, self._own_lines(head.request.authority), strict=True):
            value = given.get(name.decode("ascii"))
            line = own
            if value is not None and name in (b"x-forwarded-for", b"forwarded"):
                line = name + b": " + value.encode("latin-1") + b", " + own[len(name) + 2 :]
            elif value is not None:
                line = name + b": " + value.encode("latin-1")
            headers.names.append(name)
            headers.lines.append(line)
        port = given.find(b"x-forwarded-port")
        if port is not None:
            headers.names.append(b"x-forwarded-port")
            headers.lines.append(b"x-forwarded-port: " + port)
        return self._origin_of(chain, proxies)

    def _origin_of(self, chain: str | None, proxies: TrustedProxies) -> str:
        """The last address of X-Forwarded-For that is no trusted proxy's."""
        for member in reversed((chain or "").split(",")):
            address = member.strip()
            try:
                ipaddress.ip_address(address)
            except ValueError:
                break
            if address not in proxies:
                return address
        return self.address
