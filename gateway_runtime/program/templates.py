"""The body and headers of an error reply: the API's response template, else the gateway's own JSON."""

from __future__ import annotations

import json

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Template

ANY = "*/*"
DEFAULT_KEY = "DEFAULT"


class TemplateProgram:
    """One response template, compiled."""

    __slots__ = ("body", "headers", "media_type", "status")

    def __init__(
        self, status: int | None, media_type: str, headers: list[tuple[str, Template]], body: Template
    ) -> None:
        self.status = status
        self.media_type = media_type
        self.headers = headers
        self.body = body

    def render(self, reply: Reply, exchange: Exchange) -> Reply:
        """The reply that the client gets in place of `reply`."""
        headers = list(reply.headers or ())
        if self.media_type != ANY:
            headers.append(("content-type", self.media_type))
        for name, value in self.headers:
            headers = [header for header in headers if header[0].lower() != name.lower()]
            headers.append((name, value(exchange)))
        body = self.body(exchange).encode()
        return Reply(self.status or reply.status, reply.key, reply.message, headers, body)


Templates = dict[str, dict[str, TemplateProgram]]


def render_error(reply: Reply, templates: Templates, exchange: Exchange | None) -> Reply:
    """The reply as the client gets it; `templates` maps error key -> media type -> template."""
    if exchange is not None and templates:
        by_type = templates.get(reply.key) or templates.get(DEFAULT_KEY)
        if by_type is not None:
            template = _choose(by_type, exchange.request.headers.get("accept") or ANY)
            if template is not None:
                return template.render(reply, exchange)
    return own_error(reply)


def own_error(reply: Reply) -> Reply:
    """The gateway's own body for an error: JSON with key, message and status."""
    body = json.dumps({"key": reply.key, "message": reply.message, "status": reply.status}).encode() + b"\n"
    headers = [*(reply.headers or ()), ("content-type", "application/json")]
    return Reply(reply.status, reply.key, reply.message, headers, body)


def _choose(by_type: dict[str, TemplateProgram], accept: str) -> TemplateProgram | None:
    """The template for an Accept field (RFC 9110 section 12.5.1), by its quality and order."""
    ranges = _ranges(accept)
    wanted = [media_range for media_range in ranges if ranges[media_range] > 0]
    wanted.sort(key=lambda media_range: -ranges[media_range])
    allowed = [media_type for media_type in by_type if ranges.get(media_type, 1.0) > 0]
    for media_range in wanted:
        if media_range == ANY:
            break
        prefix = media_range[:-1] if media_range.endswith("/*") else None
        for media_type in allowed:
            if media_type == media_range or (prefix is not None and media_type.startswith(prefix)):
                return by_type[media_type]
    if ANY in by_type:
        return by_type[ANY]
    return by_type[allowed[0]] if allowed and ANY in wanted else None


def _ranges(accept: str) -> dict[str, float]:
    """The media ranges of an Accept field, in order, with their quality; 0 refuses a range."""
    ranges: dict[str, float] = {}
    for member in accept.lower().split(",")[:32]:
        media_range, *parameters = [part.strip() for part in member.split(";")]
        ranges[media_range] = _quality(parameters)
    return ranges


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
