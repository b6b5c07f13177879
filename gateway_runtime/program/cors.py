"""Cross-origin resource sharing (Fetch standard, CORS protocol), compiled from a route's rules."""

from __future__ import annotations

from gateway_runtime.exchange import Exchange, Headers, Reply, Request, field_line
from gateway_runtime.snapshot.types import Cors

_VARY = b"vary: origin"


class CorsProgram:
    """Answers preflights and marks responses."""

    __slots__ = (
        "_any_header",
        "_any_method",
        "_any_origin",
        "_common",
        "_credentials",
        "_headers",
        "_max_age",
        "_methods",
        "_origins",
    )

    def __init__(self, rules: Cors) -> None:
        self._any_origin = "*" in rules.allow_origins
        self._origins = frozenset(rules.allow_origins)
        self._any_method = "*" in rules.allow_methods
        self._methods = ", ".join(rules.allow_methods)
        self._any_header = "*" in rules.allow_headers
        self._headers = ", ".join(rules.allow_headers)
        self._credentials = rules.allow_credentials
        self._max_age = None if rules.max_age is None else str(int(rules.max_age))
        self._common: list[tuple[bytes, bytes]] = []
        if rules.allow_credentials:
            self._common.append(_line("access-control-allow-credentials", "true"))
        if rules.expose_headers:
            self._common.append(_line("access-control-expose-headers", ", ".join(rules.expose_headers)))

    def preflight(self, request: Request) -> Reply | None:
        """The answer to a preflight; None where the request is none."""
        if request.method != "OPTIONS":
            return None
        origin = request.headers.get("origin")
        method = request.headers.get("access-control-request-method")
        if origin is None or method is None:
            return None
        headers = [("vary", "origin, access-control-request-method, access-control-request-headers")]
        if self._allows(origin):
            headers += self._preflight_headers(request, origin, method)
        return Reply(204, headers=headers)

    def mark(self, exchange: Exchange, headers: Headers) -> None:
        """Put the fields on a response that let the origin's scripts read it."""
        origin = exchange.request.headers.get("origin")
        headers.discard(b"access-control-allow-origin")
        headers.discard(b"access-control-allow-credentials")
        if not self._any_origin or self._credentials:
            headers.names.append(b"vary")
            headers.lines.append(_VARY)
        if origin is None or not self._allows(origin):
            return
        headers.set("access-control-allow-origin", self._origin_value(origin))
        for name, line in self._common:
            headers.set_line(name, line)

    def _allows(self, origin: str) -> bool:
        return self._any_origin or origin in self._origins

    def _origin_value(self, origin: str) -> str:
        return "*" if self._any_origin and not self._credentials else origin

    def _preflight_headers(self, request: Request, origin: str, method: str) -> list[tuple[str, str]]:
        wanted = request.headers.get("access-control-request-headers") or ""
        headers = [("access-control-allow-origin", self._origin_value(origin))]
        headers.append(("access-control-allow-methods", method if self._any_method else self._methods))
        allowed = wanted if self._any_header else self._headers
        if allowed:
            headers.append(("access-control-allow-headers", allowed))
        if self._credentials:
            headers.append(("access-control-allow-credentials", "true"))
        if self._max_age is not None:
            headers.append(("access-control-max-age", self._max_age))
        return headers


def _line(name: str, value: str) -> tuple[bytes, bytes]:
    return name.encode("ascii"), field_line(name, value)
