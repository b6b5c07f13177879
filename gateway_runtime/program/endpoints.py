"""Endpoint groups, compiled: where requests go, and the bytes that never change on the way.

An endpoint that stands for a Service becomes one endpoint for each of its addresses. Where these change, a
group takes up another list; nothing else of its program is made anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from gateway_runtime.exchange import Exchange, Headers, field_line
from gateway_runtime.policies.base import Template

DEFAULT_PORTS = {"http": 80, "https": 443}

Addresses = Mapping[str, Sequence[tuple[str, int]]]
"""IP addresses and ports of Services, by the key of their port."""


class Origin:
    """Scheme, host and port of a backend (RFC 6454); `key` names its connection pool.

    A certificate must be for `server_name`: a connection that was made for one name serves no other.
    """

    __slots__ = ("host", "key", "port", "secure", "server_name")

    def __init__(self, host: str, port: int, secure: bool, server_name: str) -> None:
        self.host = host
        self.port = port
        self.secure = secure
        self.server_name = server_name
        name = f"{server_name}@" if secure and server_name != host else ""
        self.key = f"{'https' if secure else 'http'}://{name}{host}:{port}"


class EndpointProgram:
    """One backend: `base` is put before each path, `host_line` and `lines` go with each request.

    `service` is the key of the Service's port that it stands for, empty where its URL is its address. Raises
    ValueError where the Host is given as an expression, HeaderError for a header that cannot go on the wire.
    """

    __slots__ = ("base", "dynamic", "fixed_names", "host_line", "lines", "name", "origin", "service", "url")

    def __init__(self, name: str, url: str, headers: list[tuple[str, Template]], service: str = "") -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        host = parts.hostname or ""
        self.name = name
        self.url = url
        self.service = service
        self.origin = Origin(host, port, secure, host)
        self.base = parts.path.rstrip("/")
        self.host_line = b"host: " + parts.netloc.encode("ascii")
        self.fixed_names: list[bytes] = []
        self.lines: list[bytes] = []
        self.dynamic: list[tuple[str, Template]] = []
        for field, value in headers:
            self._take(field, value)

    def _take(self, field: str, value: Template) -> None:
        line = field_line(field, value.constant) if value.constant is not None else None
        if line is None and field.lower() == "host":
            raise ValueError(f"endpoint {self.name}: the Host must be a plain string")
        if line is None:
            self.dynamic.append((field, value))
        elif field.lower() == "host":
            self.host_line = line
        else:
            self.fixed_names.append(field.lower().encode("ascii"))
            self.lines.append(line)

    def at(self, host: str, port: int) -> EndpointProgram:
        """The same endpoint at one of its Service's addresses."""
        made = EndpointProgram(self.name, self.url, [], self.service)
        made.origin = Origin(host, port, self.origin.secure, self.origin.server_name)
        made.host_line = self.host_line
        made.fixed_names, made.lines, made.dynamic = self.fixed_names, self.lines, self.dynamic
        return made

    def fields_for(self, exchange: Exchange) -> Headers:
        """The fields of a request that goes to this endpoint; the request itself stays as it is.

        Another endpoint, which may be tried next, never sees what is meant for this one.
        """
        given = exchange.request.headers
        headers = Headers(given.names.copy(), given.lines.copy())
        for index, name in enumerate(self.fixed_names):
            headers.set_line(name, self.lines[index])
        for field, value in self.dynamic:
            headers.set(field, value(exchange))
        return headers


class EndpointGroupProgram:
    """Endpoints taken in turn, each address of a Service as one of them; `services` are the keys of these."""

    __slots__ = ("_given", "_next", "connect_timeout", "endpoints", "name", "response_timeout", "services")

    def __init__(self, name: str, given: list[EndpointProgram], connect: float, response: float) -> None:
        self.name = name
        self.services = frozenset([endpoint.service for endpoint in given if endpoint.service])
        self.endpoints = [endpoint for endpoint in given if not endpoint.service]
        self.connect_timeout = connect
        self.response_timeout = response
        self._given = given
        self._next: int = 0

    def follow(self, addresses: Addresses) -> None:
        """Take the addresses of Services as they are now; the endpoints of those that stay stay too."""
        known = {(one.name, one.origin.host, one.origin.port): one for one in self.endpoints}
        endpoints: list[EndpointProgram] = []
        for given in self._given:
            if not given.service:
                endpoints.append(given)
                continue
            for host, port in addresses.get(given.service, ()):
                found = known.get((given.name, host, port))
                endpoints.append(given.at(host, port) if found is None else found)
        self.endpoints = endpoints

    def choose(self) -> EndpointProgram | None:
        """The next endpoint; None where there is none."""
        endpoints = self.endpoints
        count = len(endpoints)
        if count == 1:
            return endpoints[0]
        index = self._next
        if index >= count:
            if count == 0:
                return None
            index = 0
        self._next = index + 1
        return endpoints[index]

    def after(self, endpoint: EndpointProgram) -> EndpointProgram | None:
        """The one behind an endpoint that could not be reached: in as many steps each is tried once."""
        endpoints = self.endpoints
        if endpoint not in endpoints:
            return self.choose()
        index = endpoints.index(endpoint) + 1
        return endpoints[index if index < len(endpoints) else 0]
