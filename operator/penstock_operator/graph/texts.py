"""Turns a resource into its strings: each with its path and whether expressions are evaluated in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from gateway_runtime.policies.fields import ConditionMarker, ExpressionMarker, SettingMarker
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.flows import CustomPolicy

Kind = Literal["template", "setting", "condition", "plain"]
PROSE = frozenset(("description",))
"""Fields for people, whose text means nothing to the gateway."""


class Text(NamedTuple):
    """One string of a resource."""

    path: FieldPath
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the strings of an annotation are read: its own, and those of its elements."""

    kind: Kind = "plain"
    element: _Shape | None = None


_PLAIN = _Shape()
_MARKERS: dict[type, Kind] = {
    ExpressionMarker: "template",
    SettingMarker: "setting",
    ConditionMarker: "condition",
}


def texts(model: BaseModel, path: FieldPath) -> Iterator[Text]:
    """Every string that was given in a model, in the order of its fields.

    The configuration of a plug-in's step is left out: only the plug-in's own model knows its fields.
    """
    given = model.model_fields_set
    for name, alias, shape in _fields(type(model)):
        if name in given:
            yield from _texts(getattr(model, name), shape, (*path, alias))


def _texts(value: Any, shape: _Shape, path: FieldPath) -> Iterator[Text]:
    if isinstance(value, str):
        yield Text(path, value, shape.kind)
    elif isinstance(value, BaseModel):
        yield from texts(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield Text((*path, str(key)), str(key), "plain")
            yield from _texts(item, shape.element or _PLAIN, (*path, str(key)))
    elif isinstance(value, tuple | list | set | frozenset):
        for index, item in enumerate(value):
            yield from _texts(item, shape.element or _PLAIN, (*path, index))


@cache
def _fields(model: type[BaseModel]) -> tuple[tuple[str, str, _Shape], ...]:
    return tuple(
        (name, info.alias or name, _with_marker(_shape(info.annotation), info.metadata))
        for name, info in model.model_fields.items()
        if name not in PROSE and not (model is CustomPolicy and name == "configuration")
    )


def _shape(annotation: Any) -> _Shape:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _with_marker(_shape(arguments[0]), annotation.__metadata__)
    if origin in (Union, UnionType):
        shapes = [_shape(member) for member in arguments]
        return next((shape for shape in shapes if shape != _PLAIN), _PLAIN)
    if isinstance(origin, type) and issubclass(origin, dict | tuple | list | set | frozenset):
        value = arguments[1] if issubclass(origin, dict) else arguments[0]
        return _Shape("plain", _shape(value))
    return _PLAIN


def _with_marker(shape: _Shape, metadata: Any) -> _Shape:
    for marker in metadata:
        for type_, kind in _MARKERS.items():
            if isinstance(marker, type_) or marker is type_:
                return _Shape(kind, shape.element)
    return shape
