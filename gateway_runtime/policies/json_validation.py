"""jsonValidation: checks JSON bodies against a JSON Schema."""

from __future__ import annotations

import json
from math import isinf
from typing import Annotated, Any, NoReturn

from pydantic import Field, field_validator

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Environment, Outcome, PolicyConfiguration, PolicyType, StepFunction

_TOO_DEEP = "it is nested too deeply"
_MAX_SCHEMA = 131_072
_MAX_MESSAGE = 500
_BACKTRACKS = 100_000
"""Bounds the time that a pattern of the schema may take for one text, to some milliseconds."""


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
        document = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except RecursionError:
        return False, _TOO_DEEP
    except ValueError as error:
        return False, str(error)[:_MAX_MESSAGE]
    return _misfit(validator, document)


def _misfit(validator: Any, document: Any) -> tuple[bool, str]:
    """As `_problem`, for what json.loads gave. Stops at the first error: a body may hold a great many."""
    import jsonschema_rs  # noqa: PLC0415 - as above

    try:
        validator.validate(document)
    except jsonschema_rs.ValidationError as error:
        place = "/".join(str(step) for step in error.instance_path)
        return True, f"/{place}: {error.message}"[:_MAX_MESSAGE]
    except ValueError as error:
        return False, str(error)[:_MAX_MESSAGE]
    return True, ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has a member twice")
    return members


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON value")


def _finite(text: str) -> float:
    """A number; one beyond what a float holds would become infinite, and pass every bound of a schema."""
    number = float(text)
    if isinf(number):
        raise ValueError("a number is too large")
    return number


def _has_content(exchange: Exchange) -> bool:
    """Whether the response may have a body (RFC 9110 section 6.4.1)."""
    response = exchange.response
    return exchange.request.method != "HEAD" and response is not None and response.status not in (204, 304)


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

    async def check(exchange: Exchange) -> Reply | None:
        is_json, problem = _problem(validator, await exchange.response_body())
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
