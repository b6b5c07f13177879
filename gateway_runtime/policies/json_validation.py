"""jsonValidation: checks JSON bodies against a JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated, Any, NoReturn

from pydantic import Field, field_validator

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction

_TOO_DEEP = "it is nested too deeply"
_MAX_SCHEMA = 131_072
_MAX_MESSAGE = 500
_BACKTRACKS = 100_000
"""Bounds the time that a pattern of the schema may take for one text, to some milliseconds."""


class JsonValidation(PolicyConfiguration):
    """Refuses bodies that are no JSON or do not fit the schema.

    The body is held in memory until it is checked, within the gateway's limit bufferedBody. References to
    other documents are not followed.
    """

    schema_: Annotated[
        dict[str, Any],
        Field(alias="schema", description="The JSON Schema (drafts 4 to 2020-12, by its $schema)."),
    ]

    @field_validator("schema_")
    @classmethod
    def _compiles(cls, value: dict[str, Any]) -> dict[str, Any]:
        if len(repr(value)) > _MAX_SCHEMA:
            raise ValueError(f"is longer than {_MAX_SCHEMA} characters")
        _validator(value)
        return value


def _validator(schema: dict[str, Any]) -> Any:
    """A compiled schema; raises ValueError where it is none."""
    # Only a configuration with this policy pays for the library.
    import jsonschema_rs  # noqa: PLC0415

    try:
        patterns = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS)
        return jsonschema_rs.validator_for(schema, retriever=_no_retrieval, pattern_options=patterns)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise ValueError(f"is no JSON Schema: {str(error).splitlines()[0]}") from error


def _no_retrieval(uri: str) -> NoReturn:
    raise ValueError(f"references to other documents are not followed: {uri}")


def _problem(validator: Any, body: bytes) -> tuple[bool, str]:
    """Whether a body is JSON at all, and what is wrong with it (nothing: an empty text)."""
    try:
        # Text before JSON: RFC 8259 section 8.1 asks for UTF-8, json.loads would guess others.
        document = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        return False, _TOO_DEEP
    except ValueError as error:
        return False, str(error)[:_MAX_MESSAGE]
    try:
        first = next(iter(validator.iter_errors(document)), None)
    except ValueError as error:
        return False, str(error)[:_MAX_MESSAGE]
    if first is None:
        return True, ""
    place = "/".join(str(step) for step in first.instance_path)
    return True, f"/{place}: {first.message}"[:_MAX_MESSAGE]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has a member twice")
    return members


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON value")


def _request(configuration: JsonValidation, _environment: Environment) -> StepFunction:
    validator = _validator(configuration.schema_)

    async def step(exchange: Exchange) -> Reply | None:
        is_json, problem = _problem(validator, await exchange.request_body())
        if not problem:
            return None
        key = "JSON_INVALID_PAYLOAD" if is_json else "JSON_INVALID_FORMAT"
        return Reply(400, key, f"The request body is not valid: {problem}")

    return step


def _response(configuration: JsonValidation, _environment: Environment) -> StepFunction:
    validator = _validator(configuration.schema_)

    async def step(exchange: Exchange) -> Reply | None:
        is_json, problem = _problem(validator, await exchange.response_body())
        if not problem:
            return None
        key = "JSON_INVALID_RESPONSE_PAYLOAD" if is_json else "JSON_INVALID_RESPONSE_FORMAT"
        return Reply(500, key, "The backend's response is not valid.")

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
