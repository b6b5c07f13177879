"""rewriteUrl: changes the path and the query that the backend gets."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import Field, field_validator, model_validator

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import Template as TemplateText
from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.target import check_target, normalise_path

_EVERY_PATH = ".*"
_SEPARATORS = re.compile(r"[/\\]")
_INVALID = "REWRITE_URL_INVALID"
_PATTERN_BYTES = 1 << 20
"""Bounds what a compiled pattern and its matching take."""


class RewriteUrl(PolicyConfiguration):
    """Replaces the path below the API's own, where all of it matches the pattern.

    Needs path or query. In both, `{#request.path_params.NAME}` reads the named groups of the pattern, as they
    are in the path; other values may need `| urlencode`. A result that is no path or no query answers 400.
    """

    pattern: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description="A regular expression (RE2), such as /v1/(?P<id>[0-9]+); left out, all paths match.",
        ),
    ] = _EVERY_PATH
    path: Annotated[
        TemplateText | None,
        Field(pattern=r"^[/{]", max_length=2048, description="The new path, such as /items/{#...}."),
    ] = None
    query: Annotated[TemplateText | None, Field(max_length=4096, description="The new query, without ?.")] = (
        None
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        _regular_expression(value)
        return value

    @model_validator(mode="after")
    def _does_something(self) -> RewriteUrl:
        if self.path is None and self.query is None:
            raise ValueError("path or query is needed")
        return self


def _regular_expression(pattern: str) -> Any:
    """A compiled pattern that takes linear time, whatever path comes; raises ValueError where it is none."""
    # Only a configuration with this policy pays for the library.
    import re2  # type: ignore[import-untyped] # noqa: PLC0415

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_BYTES
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"is no regular expression of the syntax RE2: {told}") from error


def _request(configuration: RewriteUrl, environment: Environment) -> StepFunction:
    matches_all = configuration.pattern == _EVERY_PATH
    match = None if matches_all else _regular_expression(configuration.pattern).fullmatch
    path = None if configuration.path is None else environment.template(configuration.path)
    query = None if configuration.query is None else environment.template(configuration.query)

    def step(exchange: Exchange) -> Reply | None:
        request = exchange.request
        if match is not None:
            found = match(request.api_path)
            if found is None:
                return None
            groups = {name: value for name, value in found.groupdict().items() if value is not None}
            request.path_params = {**(request.path_params or {}), **groups}
        new_path = request.api_path if path is None else _new_path(path(exchange))
        new_query = request.query if query is None else _new_query(query(exchange))
        if new_path is None or new_query is None:
            return Reply(400, _INVALID, "The request leads to an invalid path or query.")
        request.api_path, request.query = new_path, new_query
        return None

    return step


def _new_path(text: str) -> str | None:
    """The normal form of a path; None for one that could not go on the wire or leaves its place."""
    if not text.startswith("/") or "?" in text or not _is_on_the_wire(text):
        return None
    # A dot segment comes from a value of the request, and would climb out of where the path belongs.
    return None if _has_dots(text) else normalise_path(text)


def _new_query(text: str) -> str | None:
    return text if _is_on_the_wire("/?" + text) else None


def _has_dots(path: str) -> bool:
    """Whether a backend could see a dot segment, one that decodes %2F before it splits the path included."""
    return any(segment in (".", "..") for segment in _SEPARATORS.split(unquote(path)))


def _is_on_the_wire(target: str) -> bool:
    try:
        check_target(target.encode("utf-8", "surrogatepass"))
    except ProtocolError:
        return False
    return True


POLICY = PolicyType("rewriteUrl", RewriteUrl, request=_request, errors={_INVALID: 400})
