"""transformStatusCode: replaces the status of a response."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from gateway_runtime.exchange import Exchange
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import StatusCode, StrictModel


class StatusMapping(StrictModel):
    """One status and what the client gets in its place."""

    from_: Annotated[StatusCode, Field(alias="from", description="The status of the response.")]
    to: Annotated[StatusCode, Field(description="The status that the client gets.")]


class TransformStatusCode(PolicyConfiguration):
    """Replaces the status of responses; body and headers stay. The last mapping of a status counts."""

    mappings: Annotated[
        tuple[StatusMapping, ...],
        Field(strict=False, min_length=1, max_length=500, description="Statuses and their replacements."),
    ]


def _response(configuration: TransformStatusCode, _environment: Environment) -> StepFunction:
    phrases = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
    table = {mapping.from_: (mapping.to, phrases.get(mapping.to, b"")) for mapping in configuration.mappings}

    def step(exchange: Exchange) -> None:
        response = exchange.response
        if response is not None and response.status in table:
            response.status, response.reason = table[response.status]

    return step


POLICY = PolicyType("transformStatusCode", TransformStatusCode, response=_response)
