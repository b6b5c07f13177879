"""Builds configurations from the models themselves: every field set, a secret where one may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway_runtime.policies.fields import ConditionMarker, ExpressionMarker, SettingMarker
from penstock_operator.resources.flows import CustomPolicy
from penstock_operator.resources.meta import ExactlyOne

Field = tuple[str, str]
"""The names of a model and of a field of it."""
Choose = Callable[[type[ExactlyOne]], str]
"""Which one of a union is set, by its YAML name."""

PLAIN: tuple[Any, ...] = (
    "a", "/a", "a-b", "http://a", "10.0.0.0/8", "X-A", "A", True, 1, 200, 8080, 1024, 0.5, "10s", "1Ki", {},
)  # fmt: skip
KEYS: dict[Field, str] = {("ApiDefinitionSpec", "response_templates"): "DEFAULT"}
"""Where not any key will do."""
VALUES: dict[Field, str] = {("ServiceRef", "namespace"): "default"}
"""Where not any value will do."""
BEFORE: dict[Field, str] = {("ServiceRef", "path"): "/"}
"""What a string has to begin with."""
MARKERS = {ExpressionMarker: "template", SettingMarker: "setting", ConditionMarker: "condition"}


def marker(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """The kind of a string, by its marker; empty where it has none."""
    found = [*metadata]
    while get_origin(annotation) is Annotated:
        found += annotation.__metadata__
        annotation = get_args(annotation)[0]
    kinds = [kind for one in found for type_, kind in MARKERS.items() if isinstance(one, type_)]
    return kinds[0] if kinds else ""


def bare(annotation: Any) -> Any:
    """An annotation without what is beside it."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def strings(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[str]:
    """The kinds of all strings of a type that are its own: those of models in it are not."""
    kind, inner = marker(annotation, metadata), bare(annotation)
    if inner is str or inner is Any:
        yield kind or "plain"
    elif isinstance(inner, type) or get_origin(inner) is Literal:
        return
    else:
        members = [member for member in get_args(inner) if member is not Ellipsis]
        values = members[1:] if get_origin(inner) is dict else members
        for member in values:
            yield from strings(member, tuple(m for m in metadata if type(m) in MARKERS))


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type."""
    inner = bare(annotation)
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        yield inner
    else:
        for member in get_args(inner):
            yield from models(member)


def reachable(*roots: type[BaseModel]) -> set[type[BaseModel]]:
    """These models and all that are in them."""
    found: set[type[BaseModel]] = set()
    queue = list(roots)
    while queue:
        model = queue.pop()
        if model not in found:
            found.add(model)
            queue += [inner for info in model.model_fields.values() for inner in models(info.annotation)]
    return found


@dataclass
class Builder:
    """Values of models, but for fields that are omitted.

    `used` are the fields that got a secret, by the name of the secret.
    """

    choose: Choose
    omitted: frozenset[Field] = frozenset()
    used: dict[str, Field] = field(default_factory=dict)
    plug_in: tuple[str, type[BaseModel]] | None = None

    def build(self, model: type[BaseModel]) -> dict[str, Any]:
        """A value of a model, with every field that can be set beside the others."""
        if model is CustomPolicy and self.plug_in is not None:
            name, configuration = self.plug_in
            return {"name": name, "configuration": self.build(configuration)}
        chosen = set(model.model_fields)
        if issubclass(model, ExactlyOne):
            choices = model.choices()
            chosen -= {name for alias, name in choices.items() if alias != self.choose(model)}
        made = {}
        for name, info in model.model_fields.items():
            if name in chosen and (model.__name__, name) not in self.omitted:
                annotation = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
                made[info.alias or name] = self._value(annotation, (model.__name__, name))
        return made

    def _value(self, annotation: Any, place: Field, kind: str = "") -> Any:
        kind, inner = kind or marker(annotation), bare(annotation)
        members = [one for one in get_args(inner) if one is not Ellipsis and one is not type(None)]
        origin = get_origin(inner)
        if inner is str and kind:
            return self._secret(kind, place)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return self.build(inner)
        if origin is Literal:
            return members[0]
        if origin is dict:
            key = KEYS.get(place) or self._value(members[0], place)
            return {key: self._value(members[1], place)}
        if origin in (tuple, list):
            return [self._value(members[0], place)]
        if members:
            return self._value(members[0], place, kind)
        return VALUES.get(place) or next(one for one in PLAIN if _fits(annotation, one))

    def _secret(self, kind: str, place: Field) -> str:
        name = f"s{len(self.used)}"
        self.used[name] = place
        secret = f"secrets.get('{name}')"
        text = f"{{#request.path == {secret}}}" if kind == "condition" else f"{{#{secret}}}"
        return BEFORE.get(place, "") + text


def _fits(annotation: Any, value: Any) -> bool:
    try:
        TypeAdapter(annotation).validate_python(value, strict=True, context={"manifest": True})
    except ValidationError:
        return False
    return True
