"""JSON Schemas to validators, and what is wrong with a document by one: bounded in time, nothing is
fetched.
"""

from __future__ import annotations

import json
from math import isinf
from typing import Any, NoReturn

_TOO_DEEP = "it is nested too deeply"
_MAX_MESSAGE = 500
_BACKTRACKS = 100_000
"""Bounds the time that a pattern of the schema may take for one text, to some milliseconds."""


def schema_validator(schema: dict[str, Any]) -> Any:
    """A compiled schema; raises ValueError where it is none."""
    # Only a configuration with a schema pays for the library.
    import jsonschema_rs  # noqa: PLC0415

    try:
        patterns = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS)
        return jsonschema_rs.validator_for(schema, retriever=_no_retrieval, pattern_options=patterns)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise ValueError(f"is no JSON Schema: {str(error).splitlines()[0]}") from error


def _no_retrieval(uri: str) -> NoReturn:
    raise ValueError(f"references to other documents are not followed: {uri}")


def problem_of(validator: Any, body: bytes) -> tuple[bool, str]:
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
    """As `problem_of`, for what json.loads gave. Stops at the first error: a body may hold a great many."""
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
