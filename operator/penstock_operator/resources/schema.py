"""Turns a pydantic model into a structural OpenAPI v3 schema, as CustomResourceDefinitions need it.

Structural (Kubernetes documentation, "Specifying a structural schema"): no references, a type for each node,
no null unions, no keyword that the API server refuses. What has no such form raises `SchemaError` here, when
CRDs are generated, and not in a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, NoDefault
from pydantic_core import core_schema

from gateway_runtime.policies.fields import NOTE
from penstock_operator.resources.meta import ExactlyOne, listing

Schema = dict[str, Any]

_KEPT = (
    "description", "type", "format", "enum", "pattern", "default", "minimum", "maximum", "multipleOf",
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "required",
    "x-kubernetes-int-or-string", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "x-kubernetes-validations", "x-kubernetes-preserve-unknown-fields",
)  # fmt: skip
_BOUNDS = ("ge", "gt", "le", "lt")
_HANDLED = frozenset((
    *_BOUNDS, "exclusiveMinimum", "exclusiveMaximum",
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "examples", "items", "patternProperties",
    "properties", "propertyNames", "title", NOTE,
))  # fmt: skip
_EXACT = 2**53
"""Whole numbers up to this are the same as floats."""
_UNITS = (("d", 86400_000), ("h", 3600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


class SchemaError(TypeError):
    """A model that has no structural schema."""


def structural_schema(model: type[BaseModel]) -> Schema:
    """The schema of a model, with YAML names, defaults as users write them and CEL rules.

    Raises SchemaError for what a structural schema cannot say.
    """
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return _structural(schema, schema.get("$defs", {}), model.__name__)


def status_schema(kind: type[Struct]) -> Schema:
    """The schema of a status, which nobody writes by hand: it has no defaults."""
    schema = msgspec.json.schema(kind)
    definitions = schema["$defs"]
    for definition in definitions.values():
        for child in definition["properties"].values():
            child.pop("default", None)
    return _structural(schema, definitions, kind.__name__)


def format_duration(seconds: float) -> str:
    """A length of time as users write it: `90m` for 5400.0."""
    left = round(seconds * 1000)
    for unit, size in _UNITS:
        if left % size == 0:
            return f"{left // size}{unit}"
    raise AssertionError("milliseconds divide all")


class _Generator(GenerateJsonSchema):
    """pydantic's generator, with defaults of nested models and the CEL rules of each model."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        generated = super().model_schema(schema)
        _bound_sizes(schema["cls"], generated.get("properties", {}))
        rules = cel_rules(schema["cls"])
        return {**generated, "x-kubernetes-validations": rules} if rules else generated

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        factory = schema.get("default_factory")
        value = schema.get("default", NoDefault)
        if isinstance(factory, type) and issubclass(factory, BaseModel):
            value = factory()
        return NoDefault if value in ((), {}, "") else _as_written(value)


def _bound_sizes(model: type[BaseModel], properties: dict[str, Any]) -> None:
    """Adds the bounds of sizes, which pydantic leaves out beside a schema of their own."""
    for name, info in model.model_fields.items():
        schema = properties.get(info.alias or name, {})
        if schema.get("x-kubernetes-int-or-string"):
            for bound in info.metadata:
                schema.update({key: getattr(bound, key) for key in _BOUNDS if hasattr(bound, key)})


def _as_written(value: Any) -> Any:
    """A default in the form of a manifest, without what the defaults within it say."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, list | tuple):
        return [_as_written(item) for item in value]
    return value


def cel_rules(model: type[BaseModel]) -> list[dict[str, str]]:
    """The `x-kubernetes-validations` of one model: its own `rules`, and that of its union."""
    rules = list(getattr(model, "rules", ()))
    if issubclass(model, ExactlyOne):
        choices = list(model.choices())
        message = f"exactly one of {listing(choices)} is needed"
        rules.append((_one_of([f"has(self.{name})" for name in choices]), message))
    return [{"rule": rule, "message": message} for rule, message in rules]


def _one_of(given: list[str]) -> str:
    """CEL that is true where one is, as cheap as it can be, since lists in lists multiply its cost."""
    if len(given) == 2:
        return f"{given[0]} != {given[1]}"
    return f"{' + '.join(f'({one} ? 1 : 0)' for one in given)} == 1"


def _structural(node: Mapping[str, Any], definitions: Mapping[str, Any], place: str) -> Schema:
    node = _resolved(node, definitions, place)
    unknown = set(node) - set(_KEPT) - _HANDLED
    if unknown:
        raise SchemaError(f"{place}: no structural form for {', '.join(sorted(unknown))}")
    schema = {key: node[key] for key in _KEPT if key in node}
    if NOTE in node:
        schema["description"] = f"{schema.get('description', '')} {node[NOTE]}".strip()
    _write_bounds(schema, node)
    if "const" in node:
        schema["enum"] = [node["const"]]
    if node.get("x-kubernetes-int-or-string"):
        schema["anyOf"] = node["anyOf"]
    elif "type" not in schema and node.get("additionalProperties") is not True and "properties" not in node:
        raise SchemaError(f"{place}: a node needs a type")
    _add_children(schema, node, definitions, place)
    _write_default(schema)
    return schema


def _resolved(node: Mapping[str, Any], definitions: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A node without references and unions with null; what stands beside a reference wins."""
    found = dict(node)
    while True:
        if "$ref" in found:
            target = definitions[str(found.pop("$ref")).rpartition("/")[2]]
        elif "anyOf" in found and not found.get("x-kubernetes-int-or-string"):
            choices = [choice for choice in found.pop("anyOf") if choice.get("type") != "null"]
            if len(choices) != 1:
                raise SchemaError(f"{place}: a union of types has no structural form")
            target = choices[0]
            if found.get("default", ...) is None:
                del found["default"]
        else:
            return found
        found = {**target, **found}


def _add_children(
    schema: Schema, node: Mapping[str, Any], definitions: Mapping[str, Any], place: str
) -> None:
    if "properties" in node:
        schema["properties"] = {
            name: _structural(child, definitions, f"{place}.{name}")
            for name, child in node["properties"].items()
        }
        return
    if "items" in node:
        schema["items"] = _structural(node["items"], definitions, f"{place}[]")
    values = node.get("additionalProperties") or next(iter(node.get("patternProperties", {}).values()), None)
    if values is True:
        schema |= {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    elif values:
        schema["additionalProperties"] = _structural(values, definitions, f"{place}.*")


def _write_bounds(schema: Schema, node: Mapping[str, Any]) -> None:
    """Bounds in OpenAPI's form, where exclusive ones are a flag; those of durations cannot be said.

    pydantic leaves raw names of bounds beside schemas of types of our own, and gives lists that have a
    validator of their own the bounds of strings.
    """
    if schema.get("type") == "array":
        for wrong, right in (("minLength", "minItems"), ("maxLength", "maxItems")):
            if wrong in schema:
                schema[right] = schema.pop(wrong)
    if schema.get("type") == "string":
        return
    if schema.get("maximum", 0) > _EXACT:
        # Kubernetes holds it as a float, which is no integer then, and refuses all values.
        del schema["maximum"]
    for side, inclusive, exclusive in (("Minimum", "ge", "gt"), ("Maximum", "le", "lt")):
        if inclusive in node:
            schema[side.lower()] = node[inclusive]
        bound = node.get(exclusive, node.get(f"exclusive{side}"))
        if bound is not None:
            schema |= {side.lower(): bound, f"exclusive{side}": True}


def _write_default(schema: Schema) -> None:
    default = schema.get("default")
    if schema.get("type") == "string" and isinstance(default, int | float):
        schema["default"] = format_duration(default)
