"""The CRDs are structural, their defaults mean what those of the models mean, their rules are bounded."""

import copy
import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import yaml
from pydantic import Field

from gateway_runtime.policies.fields import Duration, Size, StrictModel
from gateway_runtime.policies.registry import built_in_policies
from penstock_operator.resources.crd import crd, crd_yaml, resource_schema
from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.schema import SchemaError, structural_schema

Schema = dict[str, Any]

# What apiextensions.k8s.io/v1 knows besides value bounds, and what it refuses in a structural schema.
FORBIDDEN = {
    "$ref", "$defs", "definitions", "const", "title", "allOf", "oneOf", "not", "patternProperties",
    "propertyNames", "dependencies", "deprecated", "discriminator", "id", "readOnly", "writeOnly",
    "uniqueItems", "examples",
}  # fmt: skip
ANY_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
MINIMAL: dict[str, dict[str, Any]] = {
    "ApiDefinition": {
        "listeners": [{"http": {"cors": {}}}],
        "endpointGroups": [{"name": "a", "endpoints": [{"name": "a", "url": "http://a"}]}],
        "flows": [{}],
    },
    "GatewayDeployment": {"flows": [{"match": {}}]},
    "Plan": {
        "apiRef": {"name": "a"},
        "security": {"jwt": {"key": {"jwks": {"url": "https://a/jwks"}}}},
    },
    "Subscription": {"planRef": {"name": "a"}, "application": {"name": "a"}},
    "GatewaySecret": {"source": {"kubernetes": {"name": "a", "key": "b"}}},
}


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}.{key}")


def with_defaults(schema: Schema, value: Any) -> Any:
    """Fills in defaults as the API server does: parents first, then what is in them."""
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name not in value and "default" in child:
                value[name] = copy.deepcopy(child["default"])
        children = schema.get("properties", {})
        extra = schema.get("additionalProperties", {})
        return {name: with_defaults(children.get(name, extra), item) for name, item in value.items()}
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), item) for item in value]
    return value


def violations(schema: Schema, value: Any, path: str = "") -> Iterator[str]:
    """Where a value breaks its schema, for the keywords that defaults can break."""
    types = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": int | float,
    }
    kind = schema.get("type")
    if kind and not (isinstance(value, types[kind]) and (kind == "boolean" or not isinstance(value, bool))):
        yield f"{path}: {value!r} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not in the enum"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path}: {value!r} does not match"
    if isinstance(value, int | float) and value < schema.get("minimum", value):
        yield f"{path}: {value!r} is too small"
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from violations(schema["items"], item, f"{path}[{index}]")
    if isinstance(value, dict) and "properties" in schema:
        yield from (f"{path}.{name} is missing" for name in set(schema.get("required", ())) - set(value))
        yield from (f"{path}.{name} is unknown" for name in set(value) - set(schema["properties"]))
        for name in set(value) & set(schema["properties"]):
            yield from violations(schema["properties"][name], value[name], f"{path}.{name}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_structural(kind: str) -> None:
    for path, node in nodes(resource_schema(KINDS[kind])):
        assert not FORBIDDEN & set(node), path
        if node.get("x-kubernetes-int-or-string"):
            assert "type" not in node, path
            assert node["anyOf"] == ANY_INT_OR_STRING, path
        else:
            assert node.get("type") in ("object", "array", "string", "integer", "number", "boolean"), path
            assert "anyOf" not in node, path
        assert (node.get("type") == "array") == ("items" in node), path
        assert not ("properties" in node and "additionalProperties" in node), path
        assert set(node.get("required", ())) <= set(node.get("properties", ())), path
        assert node.get("required") != [], path


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_others_define_is_untyped(kind: str) -> None:
    for path, node in nodes(resource_schema(KINDS[kind])["properties"]["spec"]):
        untyped = node.get("type") == "object" and not {"properties", "additionalProperties"} & set(node)
        if node.get("x-kubernetes-preserve-unknown-fields"):
            foreign = (".custom.configuration", ".jsonValidation.schema", ".podTemplate.affinity")
            assert path.endswith(foreign), path
        elif untyped:
            assert path.endswith(".keyless"), path


@pytest.mark.parametrize("kind", KINDS)
def test_every_default_is_valid_under_its_own_schema(kind: str) -> None:
    for path, node in nodes(resource_schema(KINDS[kind])):
        if "default" in node:
            value = with_defaults(node, copy.deepcopy(node["default"]))
            assert list(violations(node, value, path)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_of_the_schema_mean_what_defaults_of_the_model_mean(kind: str) -> None:
    model = KINDS[kind]
    manifest = {"kind": kind, "metadata": {"name": "a"}, "spec": MINIMAL[kind]}
    filled = with_defaults(resource_schema(model), copy.deepcopy(manifest))

    assert model.model_validate(filled, context={"manifest": True}) == model.model_validate(manifest)
    assert list(violations(resource_schema(model)["properties"]["spec"], filled["spec"])) == []


def test_defaults_of_what_is_left_out_are_filled_in() -> None:
    filled = with_defaults(resource_schema(KINDS["GatewayDeployment"]), {"metadata": {"name": "a"}})

    assert filled["spec"]["timeouts"] == {"header": "10s", "body": "30s", "idle": "75s", "drain": "30s"}
    assert filled["spec"]["listeners"] == [
        {"name": "http", "port": 8080, "protocol": "HTTP", "address": "0.0.0.0"}
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_names_that_must_differ_are_keys_of_a_list_map(kind: str) -> None:
    for path, node in nodes(resource_schema(KINDS[kind])):
        for key in node.get("x-kubernetes-list-map-keys", ()):
            assert node["x-kubernetes-list-type"] == "map", path
            assert key in node["items"]["required"], path


@pytest.mark.parametrize("kind", KINDS)
def test_rules_lie_only_within_bounded_lists(kind: str) -> None:
    def check(node: Schema, bounded: bool, path: str) -> None:
        assert bounded or "x-kubernetes-validations" not in node, path
        for name, child in node.get("properties", {}).items():
            check(child, bounded, f"{path}.{name}")
        if "items" in node:
            check(node["items"], bounded and "maxItems" in node, f"{path}[]")
        if "additionalProperties" in node:
            check(node["additionalProperties"], bounded and "maxProperties" in node, f"{path}.*")

    check(resource_schema(KINDS[kind]), True, "")


def test_each_union_has_a_rule_that_names_its_choices() -> None:
    spec = resource_schema(KINDS["Plan"])["properties"]["spec"]["properties"]

    assert spec["security"]["x-kubernetes-validations"] == [
        {
            "rule": "(has(self.keyless) ? 1 : 0) + (has(self.apiKey) ? 1 : 0) + (has(self.jwt) ? 1 : 0) + "
            "(has(self.oauth2) ? 1 : 0) + (has(self.mtls) ? 1 : 0) == 1",
            "message": "exactly one of `keyless`, `apiKey`, `jwt`, `oauth2`, `mtls` is needed",
        }
    ]
    step = spec["flows"]["items"]["properties"]["request"]["items"]
    (rule,) = step["x-kubernetes-validations"]
    choices = set(step["properties"]) - {"name", "enabled", "condition"}
    assert set(re.findall(r"has\(self\.(\w+)\)", rule["rule"])) == choices


def test_each_phase_lists_the_policies_that_make_sense_in_it() -> None:
    flow = resource_schema(KINDS["ApiDefinition"])["properties"]["spec"]["properties"]["flows"]["items"]

    for phase in ("request", "response", "connect", "interact", "publish", "subscribe"):
        step = flow["properties"][phase]["items"]["properties"]
        wanted = {name for name, policy in built_in_policies().items() if getattr(policy, phase, None)}
        assert set(step) == wanted | {"name", "enabled", "condition", "custom"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_definition_has_what_kubectl_shows(kind: str) -> None:
    definition = crd(KINDS[kind])
    (version,) = definition["spec"]["versions"]
    conditions = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["conditions"]

    assert definition["metadata"]["name"] == f"{definition['spec']['names']['plural']}.penstock.dev"
    assert definition["spec"]["names"]["categories"] == ["penstock"]
    assert version["subresources"] == {"status": {}}
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"} in (
        version["additionalPrinterColumns"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_yaml_is_the_definition_without_anchors(kind: str) -> None:
    text = crd_yaml(KINDS[kind])

    assert yaml.safe_load(text) == crd(KINDS[kind])
    assert not re.search(r": [&*]id\d", text)


def test_every_field_has_a_description() -> None:
    silent = {
        path
        for kind in KINDS
        for path, node in nodes(resource_schema(KINDS[kind])["properties"]["spec"], kind)
        if "description" not in node and not path.endswith((".items", ".additionalProperties"))
    }

    assert silent == set()


class Loose(StrictModel):
    """A model without a structural form."""

    either: int | str = 1


class Waits(StrictModel):
    """A model with a duration."""

    wait: Annotated[Duration | None, Field(gt=0, description="How long.")] = 90.0


class Bounded(StrictModel):
    """A model with bounds."""

    size: Annotated[Size, Field(ge=10, lt=20)] = 12
    optional: Annotated[Size | None, Field(gt=1, le=9)] = None
    number: Annotated[float, Field(gt=0, lt=1)] = 0.5
    long: Annotated[int, Field(ge=-1, le=2**63 - 1)] = 0


def test_a_union_of_types_is_refused_when_crds_are_generated() -> None:
    with pytest.raises(SchemaError, match=r"Loose\.either: a union of types"):
        structural_schema(Loose)


def test_an_optional_duration_has_a_default_in_words() -> None:
    wait = structural_schema(Waits)["properties"]["wait"]

    assert (wait["type"], wait["default"]) == ("string", "90s")


def test_bounds_have_the_form_of_openapi() -> None:
    fields = structural_schema(Bounded)["properties"]
    keys = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")

    assert [fields["size"].get(key) for key in keys] == [10, None, 20, True]
    assert [fields["optional"].get(key) for key in keys] == [1, True, 9, None]
    assert [fields["number"].get(key) for key in keys] == [0, True, 1, True]


def test_a_bound_that_kubernetes_cannot_hold_is_left_out() -> None:
    number = structural_schema(Bounded)["properties"]["long"]
    assert (number["minimum"], "maximum" in number) == (-1, False)
