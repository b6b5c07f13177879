"""jsonValidation: checks JSON bodies against a JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Environment, Outcome, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.json_schema import problem_of, schema_validator

_MAX_SCHEMA = 131_072


class JsonValidation(PolicyConfiguration):
    """Refuses bodies that are no JSON or do not fit the schema.

    The body is held in memory until it is checked, within the gateway's limit bufferedBody. A request without
    a body is refused; a response that can have none (to HEAD, or 204 or 304) passes. Compressed bodies are no
    JSON. References to other documents are not followed.
    """

    schema_: Annotated[
        dict[str, Any],
        Field(alias="schema", description="The JSON Schema (drafts 4 to 2020-12, by its $schema)."),
    ]

    @field_validator("schema_")
    @classmethod
    def _compiles(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            length = len(repr(value))
        except RecursionError as error:
            raise ValueError("is nested too deeply") from error
        if length > _MAX_SCHEMA:
            raise ValueError(f"is longer than {_MAX_SCHEMA} characters")
        schema_validator(value)
        return value


def _has_content(exchange: Exchange) -> bool:
    """Whether the response may have a body (RFC 9110 section 6.4.1)."""
    response = exchange.response
    return exchange.request.method != "HEAD" and response is not None and response.status not in (204, 304)


def _request(configuration: JsonValidation, _environment: Environment) -> StepFunction:
    validator = schema_validator(configuration.schema_)

    async def step(exchange: Exchange) -> Reply | None:
        is_json, problem = problem_of(validator, await exchange.request_body())
        if not problem:
            return None
        key = "JSON_INVALID_PAYLOAD" if is_json else "JSON_INVALID_FORMAT"
        return Reply(400, key, f"The request body is not valid: {problem}")

    return step


def _response(configuration: JsonValidation, _environment: Environment) -> StepFunction:
    validator = schema_validator(configuration.schema_)

    async def check(exchange: Exchange) -> Reply | None:
        is_json, problem = problem_of(validator, await exchange.response_body())
        if not problem:
            return None
        key = "JSON_INVALID_RESPONSE_PAYLOAD" if is_json else "JSON_INVALID_RESPONSE_FORMAT"
        return Reply(500, key, "The backend's response is not valid.")

    def step(exchange: Exchange) -> Outcome:
        return check(exchange) if _has_content(exchange) else None

    return step


POLICY = PolicyType(
    "jsonValidation",
    JsonValidation,
    request=_request,
    response=_response,
    errors={
        "JSON_INVALID_PAYLOAD": 400,
        "JSON_INVALID_FORMAT": 400,
        "JSON_INVALID_RESPONSE_PAYLOAD": 500,
        "JSON_INVALID_RESPONSE_FORMAT": 500,
    },
)
