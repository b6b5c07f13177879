"""rewriteUrl: changes the path and the query that the backend gets."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from gateway_runtime.exchange import Exchange
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import Template as TemplateText
from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.target import check_target, normalise_path


class RewriteUrl(PolicyConfiguration):
    """Replaces the path below the API's own, where all of it matches the pattern.

    Needs path or query. In both, `{#request.path_params.NAME}` reads the named groups of the pattern.
    """

    pattern: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description="A regular expression, such as /v1/(?P<id>[0-9]+); left out, every path matches.",
        ),
    ] = ".*"
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
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _does_something(self) -> RewriteUrl:
        if self.path is None and self.query is None:
            raise ValueError("path or query is needed")
        return self


def _request(configuration: RewriteUrl, environment: Environment) -> StepFunction:
    pattern = re.compile(configuration.pattern)
    path = None if configuration.path is None else environment.template(configuration.path)
    query = None if configuration.query is None else environment.template(configuration.query)

    def step(exchange: Exchange) -> None:
        request = exchange.request
        match = pattern.fullmatch(request.api_path)
        if match is None:
            return
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        if groups:
            request.path_params = {**(request.path_params or {}), **groups}
        if path is not None:
            request.api_path = _checked(path(exchange))
        if query is not None:
            request.query = _checked("/?" + query(exchange))[2:]

    return step


def _checked(target: str) -> str:
    """A target that may go on the wire; raises ValueError for one that may not."""
    try:
        check_target(target.encode())
    except ProtocolError as error:
        raise ValueError(error.message) from error
    if not target.startswith("/"):
        raise ValueError("the new path does not start with a slash")
    return target if target.startswith("/?") else normalise_path(target)


POLICY = PolicyType("rewriteUrl", RewriteUrl, request=_request)
