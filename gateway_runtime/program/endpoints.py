"""Endpoint groups, compiled: where requests go, and the bytes that never change on the way."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway_runtime.exchange import Exchange, Headers, field_line
from gateway_runtime.policies.base import Template

DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin:
    """Scheme, host and port of a backend (RFC 6454); `key` names its connection pool."""

    __slots__ = ("host", "key", "port", "secure")

    def __init__(self, host: str, port: int, secure: bool) -> None:
        self.host = host
        self.port = port
        self.secure = secure
        self.key = f"{'https' if secure else 'http'}://{host}:{port}"


class EndpointProgram:
    """One backend: `base` is put before each path, `host_line` and `lines` go with each request.

    Raises ValueError where the Host is given as an expression, HeaderError for a header that cannot go on the
    wire.
    """

    __slots__ = ("base", "dynamic", "fixed_names", "host_line", "lines", "name", "origin")

    def __init__(self, name: str, url: str, headers: list[tuple[str, Template]]) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        self.name = name
        self.origin = Origin(parts.hostname or "", port, secure)
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
    """Endpoints taken in turn."""

    __slots__ = ("_next", "connect_timeout", "endpoints", "name", "response_timeout")

    def __init__(self, name: str, endpoints: list[EndpointProgram], connect: float, response: float) -> None:
        self.name = name
        self.endpoints = endpoints
        self.connect_timeout = connect
        self.response_timeout = response
        self._next: int = 0

    def choose(self) -> EndpointProgram:
        """The next endpoint."""
        endpoints = self.endpoints
        if len(endpoints) == 1:
            return endpoints[0]
        index = self._next
        self._next = index + 1 if index + 1 < len(endpoints) else 0
        return endpoints[index]

    def after(self, endpoint: EndpointProgram) -> EndpointProgram:
        """The one behind an endpoint that could not be reached: in as many steps each is tried once."""
        index = self.endpoints.index(endpoint) + 1
        return self.endpoints[index if index < len(self.endpoints) else 0]
