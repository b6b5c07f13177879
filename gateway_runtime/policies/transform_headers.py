"""transformHeaders: sets, adds and removes header fields of a request or a response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, field_validator

from gateway_runtime.exchange import Exchange, Headers, field_line
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import HeaderName
from gateway_runtime.policies.fields import Template as TemplateText

_OWNED = frozenset(
    ("connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip

_Edit = Callable[[Exchange, Headers], None]


class TransformHeaders(PolicyConfiguration):
    """Removes, sets and adds header fields, in this order."""

    remove: Annotated[
        tuple[HeaderName, ...], Field(strict=False, max_length=64, description="Fields that are taken out.")
    ] = ()
    set: Annotated[
        dict[HeaderName, TemplateText],
        Field(max_length=64, description="Fields that replace all others of their name."),
    ] = Field(default_factory=dict)
    add: Annotated[
        dict[HeaderName, TemplateText],
        Field(max_length=64, description="Fields that come in addition to those of their name."),
    ] = Field(default_factory=dict)

    @field_validator("remove", "set", "add")
    @classmethod
    def _not_owned(cls, value: tuple[str, ...] | dict[str, str]) -> tuple[str, ...] | dict[str, str]:
        for name in value:
            if name.lower() in _OWNED:
                raise ValueError(f"{name} belongs to the connection; the gateway sets it")
        return value


def _edits(configuration: TransformHeaders, environment: Environment) -> list[_Edit]:
    edits: list[_Edit] = [_remove(name.lower().encode("ascii")) for name in configuration.remove]
    edits += [_set(name, text, environment) for name, text in configuration.set.items()]
    edits += [_add(name, text, environment) for name, text in configuration.add.items()]
    return edits


def _remove(name: bytes) -> _Edit:
    return lambda _exchange, headers: headers.discard(name)


def _set(name: str, text: str, environment: Environment) -> _Edit:
    template = environment.template(text)
    if template.constant is None:
        return lambda exchange, headers: headers.set(name, template(exchange))
    lower, line = name.lower().encode("ascii"), field_line(name, template.constant)
    return lambda _exchange, headers: headers.set_line(lower, line)


def _add(name: str, text: str, environment: Environment) -> _Edit:
    template = environment.template(text)
    return lambda exchange, headers: headers.add(name, template(exchange))


def _request(configuration: TransformHeaders, environment: Environment) -> StepFunction:
    edits = _edits(configuration, environment)
    if len(edits) == 1:
        only = edits[0]
        return lambda exchange: only(exchange, exchange.request.headers)

    def step(exchange: Exchange) -> None:
        headers = exchange.request.headers
        for edit in edits:
            edit(exchange, headers)

    return step


def _response(configuration: TransformHeaders, environment: Environment) -> StepFunction:
    edits = _edits(configuration, environment)

    def step(exchange: Exchange) -> None:
        response = exchange.response
        if response is not None:
            for edit in edits:
                edit(exchange, response.headers)

    return step


POLICY = PolicyType("transformHeaders", TransformHeaders, request=_request, response=_response)
