"""Turns pydantic's errors into findings in the words of somebody who writes YAML.

Each finding has the field's path in YAML names, a message that says what to do, and a condition's reason.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from penstock_operator.manifests.nodes import PathPart
from penstock_operator.resources.flows import STEPS, StepBase

FieldPath = tuple[PathPart, ...]

MOST_WORDS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one field."""

    path: FieldPath
    message: str
    reason: str


_EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "datetime_type": "a time such as 2027-12-31T00:00:00Z",
    "datetime_parsing": "a time such as 2027-12-31T00:00:00Z",
    "datetime_from_date_parsing": "a time such as 2027-12-31T00:00:00Z",
    "datetime_object_invalid": "a time such as 2027-12-31T00:00:00Z",
    "timezone_aware": "a time with its zone, such as 2027-12-31T00:00:00Z",
}
_WORDS = {
    "greater_than": "must be greater than {gt}, found {found}",
    "greater_than_equal": "must be at least {ge}, found {found}",
    "less_than": "must be less than {lt}, found {found}",
    "less_than_equal": "must be at most {le}, found {found}",
    "literal_error": "{found} is not allowed; use {expected}",
    "string_pattern_mismatch": "{found} does not match {pattern}",
    "too_short": "needs at least {min_length}, found {actual_length}",
    "string_too_short": "needs at least {min_length} characters",
    "too_long": "at most {max_length} allowed, found more",
    "string_too_long": "at most {max_length} characters allowed",
    "value_error": "{error}",
}


def explain(error: ValidationError, model: type[BaseModel], base: FieldPath = ()) -> list[Finding]:
    """The findings of a failed validation of `model`; `base` is put before their paths."""
    errors = error.errors(include_url=False)
    inner = {details["loc"][:depth] for details in errors for depth in range(len(details["loc"]))}
    return [_finding(details, model, base) for details in errors if not _follows(details, inner)]


def _follows(details: ErrorDetails, inner: set[FieldPath]) -> bool:
    """Whether it is only that the broken items of a list were not counted."""
    return details["type"] == "too_short" and details["loc"] in inner


def nearest(word: str, known: Iterable[str]) -> str:
    """`, did you mean ...?` with the known word that is most alike, or nothing.

    Of very many words only the first are looked at: a hint must not cost more than the check.
    """
    by_folded = {name.casefold(): name for name in islice(known, MOST_WORDS)}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f", did you mean `{by_folded[found[0]]}`?" if found else ""


def _finding(details: ErrorDetails, model: type[BaseModel], base: FieldPath) -> Finding:
    path, kind = details["loc"], details["type"]
    owner = _model_at(model, path[:-1])
    if kind == "extra_forbidden":
        message, reason = _unknown_field(str(path[-1]), owner)
    elif kind == "missing":
        message, reason = f"`{path[-1]}` is needed", "MissingField"
    else:
        message, reason = _message(details), "InvalidValue"
    if path and path[-1] == "[key]":
        path, message = path[:-1], f"the name of this entry: {message}"
    return Finding((*base, *path), message + _step_name(details, model), reason)


def _unknown_field(name: str, owner: type[BaseModel] | None) -> tuple[str, str]:
    if owner is None:
        return f"unknown field `{name}`", "UnknownField"
    known = field_names(owner)
    if not issubclass(owner, StepBase):
        near = nearest(name, known) or _listing(known)
        return f"unknown field `{name}`{near}", "UnknownField"
    if any(name in field_names(step) for step in STEPS.values()):
        phase = next(phase for phase, step in STEPS.items() if step is owner)
        return f"the policy `{name}` cannot be used in the {phase} phase", "UnknownPolicy"
    near = nearest(name, known) or _listing(owner.choices())
    return f"unknown policy `{name}`{near}", "UnknownPolicy"


def _listing(known: Iterable[str]) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(known))
    return f"; known: {names}" if names else "; it has no fields"


def field_names(model: type[BaseModel]) -> dict[str, str]:
    """YAML name -> Python name of a model's fields."""
    return {info.alias or name: name for name, info in model.model_fields.items()}


def _message(details: ErrorDetails) -> str:
    kind, value = details["type"], details["input"]
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {describe(value)}{_quoting_hint(kind, value)}"
    words = _WORDS.get(kind)
    if words is None:
        return details["msg"]
    message = words.format(found=describe(value), **details.get("ctx", {}))
    return message.replace("'", "`") if kind == "literal_error" else message


def _quoting_hint(kind: str, value: object) -> str:
    scalar = isinstance(value, bool | int | float)
    return "; put it in quotes" if kind == "string_type" and scalar else ""


def describe(value: object) -> str:
    """A value as the user may recognise it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case str() | int() | float():
            return f"`{str(value)[:80]}`"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a mapping"
    return type(value).__name__


def _step_name(details: ErrorDetails, model: type[BaseModel]) -> str:
    """For the errors of a whole step: the name that the user gave it."""
    value = details["input"]
    if details["type"] != "value_error" or not isinstance(value, dict):
        return ""
    owner = _model_at(model, details["loc"])
    is_step = owner is not None and issubclass(owner, StepBase)
    return f" (step `{value['name']}`)" if is_step and isinstance(value.get("name"), str) else ""


def _model_at(model: type[BaseModel], path: FieldPath) -> type[BaseModel] | None:
    annotation: Any = model
    for part in path:
        annotation = _child(annotation, part)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _child(annotation: Any, part: PathPart) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        name = field_names(annotation).get(str(part))
        return plain_type(annotation.model_fields[name].annotation) if name else None
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return plain_type(arguments[1])
    return plain_type(arguments[0]) if arguments else None


def plain_type(annotation: Any) -> Any:
    """An annotation without `Annotated` and `None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(part for part in get_args(annotation) if part is not NoneType)
        else:
            return annotation
