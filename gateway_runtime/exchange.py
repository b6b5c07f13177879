"""One request and its response, as the pipeline and the policies see them.

Plain slotted classes: made once per request on the hot path, compiled ahead of time where the install
allows. Header fields keep the line they came in, so that a field nobody touches is copied, never rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

_FORBIDDEN = bytes([*range(0, 9), *range(10, 32), 127])
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class HeaderError(ValueError):
    """A field name or value that RFC 9110 section 5 does not allow."""


class Headers:
    """Header fields in order (RFC 9110 section 5); names compare without case.

    `names` holds the lower-case names and `lines` the fields as they go on the wire, without CRLF.
    """

    __slots__ = ("lines", "names")

    def __init__(self, names: list[bytes], lines: list[bytes]) -> None:
        self.names = names
        self.lines = lines

    def find(self, name: bytes) -> bytes | None:
        """The value of the first field of that lower-case name."""
        if name not in self.names:
            return None
        return self.lines[self.names.index(name)][len(name) + 1 :].strip(b" \t")

    def find_all(self, name: bytes) -> list[bytes]:
        """The values of every field of that lower-case name."""
        if name not in self.names:
            return []
        start = len(name) + 1
        return [
            line[start:].strip(b" \t")
            for field, line in zip(self.names, self.lines, strict=True)
            if field == name
        ]

    def get(self, name: str) -> str | None:
        """All values of a name, joined as RFC 9110 section 5.2 allows; None where there is none."""
        values = self.find_all(name.lower().encode("latin-1"))
        if not values:
            return None
        return b", ".join(values).decode("latin-1")

    def set_line(self, name: bytes, line: bytes) -> None:
        """Replace every field of that lower-case name by one line, which the caller has checked."""
        if name in self.names:
            self.discard(name)
        self.names.append(name)
        self.lines.append(line)

    def set(self, name: str, value: str) -> None:
        """Replace every field of that name by one.

        Raises HeaderError for a name or value that could not go on the wire.
        """
        line = field_line(name, value)
        self.set_line(name.lower().encode("latin-1"), line)

    def add(self, name: str, value: str) -> None:
        """Add a field behind the others.

        Raises HeaderError for a name or value that could not go on the wire.
        """
        line = field_line(name, value)
        self.names.append(name.lower().encode("latin-1"))
        self.lines.append(line)

    def discard(self, name: bytes) -> None:
        """Drop every field of that lower-case name."""
        names = self.names
        while name in names:
            index = names.index(name)
            del names[index]
            del self.lines[index]

    def remove(self, name: str) -> None:
        """Drop every field of that name."""
        self.discard(name.lower().encode("latin-1"))

    def items(self) -> list[tuple[str, str]]:
        """Lower-case names and values, in order."""
        return [
            (name.decode("latin-1"), line[len(name) + 1 :].strip(b" \t").decode("latin-1"))
            for name, line in zip(self.names, self.lines, strict=True)
        ]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower().encode("latin-1") in self.names

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter([name.decode("latin-1") for name in self.names])

    def __len__(self) -> int:
        return len(self.names)


def field_line(name: str, value: str) -> bytes:
    """A field as it goes on the wire, without CRLF.

    Raises HeaderError for a name or value that RFC 9110 section 5 does not allow.
    """
    try:
        raw_name = name.encode("ascii")
        raw_value = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise HeaderError(f"header {name!r} holds a character outside ISO-8859-1") from error
    if not raw_name or raw_name.translate(None, _TOKEN):
        raise HeaderError(f"{name!r} is not a header name")
    if len(raw_value.translate(None, _FORBIDDEN)) != len(raw_value):
        raise HeaderError(f"the value of header {name!r} holds a control character")
    return raw_name + b": " + raw_value.strip(b" \t")


class Request:
    """A request as it will go to the backend; policies may change it."""

    __slots__ = (
        "api_path",
        "authority",
        "headers",
        "host",
        "method",
        "path",
        "path_params",
        "query",
        "remote_address",
        "scheme",
        "version",
    )

    def __init__(self, method: str, path: str, query: str, version: str, headers: Headers) -> None:
        self.method = method
        self.path = path
        """The normalised path as the client sent it, percent-encoded."""
        self.query = query
        """The query without its question mark, percent-encoded."""
        self.version = version
        """`HTTP/1.1` or `HTTP/1.0`."""
        self.headers = headers
        self.authority: str = ""
        """Host and port as the client sent them."""
        self.host: str = ""
        """The host in lower case, without a port."""
        self.api_path: str = path
        """The path below the API's own path, always starting with a slash; what a backend gets."""
        self.path_params: dict[str, str] | None = None
        """The `:name` segments of the flow's path that matched."""
        self.remote_address: str = ""
        """The client's address: the peer's, or the one that a trusted proxy reported."""
        self.scheme: str = "http"


class Response:
    """A response on its way to the client; policies may change it."""

    __slots__ = ("headers", "reason", "status")

    def __init__(self, status: int, reason: bytes, headers: Headers) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers


class ApplicationInfo:
    """Who subscribed."""

    __slots__ = ("client_id", "name")

    def __init__(self, name: str, client_id: str) -> None:
        self.name = name
        self.client_id = client_id


class SubscriptionInfo:
    """The subscription that let a request in."""

    __slots__ = ("application", "name", "plan")

    def __init__(self, name: str, plan: str, application: ApplicationInfo) -> None:
        self.name = name
        self.plan = plan
        self.application = application


class ApiInfo:
    """What expressions may know of an API."""

    __slots__ = ("name", "namespace", "properties", "version")

    def __init__(self, name: str, namespace: str, version: str, properties: dict[str, str]) -> None:
        self.name = name
        self.namespace = namespace
        self.version = version
        self.properties = properties


class Reply:
    """A response made by the gateway in place of the backend's.

    With a `key` it is an error: response templates apply, and the response phase is skipped.
    """

    __slots__ = ("body", "headers", "key", "message", "status")

    def __init__(
        self,
        status: int,
        key: str = "",
        message: str = "",
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> None:
        self.status = status
        self.key = key
        self.message = message
        self.headers = headers
        self.body = body


class Bodies(Protocol):
    """Gives the bodies of one exchange."""

    async def read_request_body(self) -> bytes:
        """The whole request body."""
        ...

    async def read_response_body(self) -> bytes:
        """The whole response body."""
        ...


class MessageView(Protocol):
    """One message of a stream, as expressions see it; bytes that are no UTF-8 stay as surrogates in its
    texts.
    """

    topic: str
    """As its client names it."""
    partition: int

    @property
    def offset(self) -> int | None:
        """Where it is in its partition; None before it is there."""
        ...

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""
        ...

    @property
    def key(self) -> str | None:
        """The key as text."""
        ...

    @property
    def value(self) -> str | None:
        """The value as text."""
        ...

    @property
    def headers(self) -> dict[str, str | None]:
        """The headers as text, of those with one name the last."""
        ...

    @property
    def content(self) -> Any:
        """The value as JSON; None where it is none."""
        ...


class Exchange:
    """A request, its response, and what the gateway knows about both."""

    __slots__ = (
        "_attributes",
        "api",
        "bodies",
        "claims",
        "late_headers",
        "message",
        "plan",
        "request",
        "response",
        "subscription",
    )

    def __init__(self, request: Request, api: ApiInfo) -> None:
        self.request = request
        self.api = api
        self.response: Response | None = None
        self.plan: str = ""
        """The name of the plan that let the request in."""
        self.subscription: SubscriptionInfo | None = None
        self.claims: dict[str, object] | None = None
        """The claims of a verified token."""
        self.message: MessageView | None = None
        """The message that a step runs on, where it runs on one."""
        self.bodies: Bodies | None = None
        """Where the bodies come from."""
        self._attributes: dict[str, object] | None = None
        self.late_headers: list[tuple[bytes, bytes]] | None = None
        """Lower-case names and lines of fields for the response, whoever makes it."""

    async def request_body(self) -> bytes:
        """The whole request body, buffered.

        Raises BodyTooLargeError beyond the gateway's limit bufferedBody.
        """
        return b"" if self.bodies is None else await self.bodies.read_request_body()

    async def response_body(self) -> bytes:
        """The whole response body, buffered; only in the response phase.

        Raises BodyTooLargeError beyond the gateway's limit bufferedBody.
        """
        return b"" if self.bodies is None else await self.bodies.read_response_body()

    def add_response_headers(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Set header fields, as lower-case names and lines, on the response to come, whoever makes it."""
        if self.late_headers is None:
            self.late_headers = fields
        else:
            self.late_headers = self.late_headers + fields

    @property
    def attributes(self) -> dict[str, object]:
        """What policies leave for each other and for expressions."""
        if self._attributes is None:
            self._attributes = {}
        return self._attributes
