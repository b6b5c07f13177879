"""assignAttributes: values that later steps and expressions read."""

import pytest
from policy_outcomes import passed

from gateway_runtime.expressions.errors import ExpressionError


@pytest.mark.parametrize("phase", ["request", "response"])
def test_attributes_are_left_for_later_steps(steps, exchange, phase: str) -> None:
    one = exchange(fields=(("X-Tenant", "süd"),), status=None if phase == "request" else 200)
    values = {
        "tenant": f"<{{#{phase}.headers['x-tenant']}}>",
        "plain": "a",
        "empty": "",
        "missing": "{#jwt.claims.sub}",
    }
    assert passed(steps("assignAttributes", {"attributes": values}, phase), one)
    assert one.attributes == {"tenant": "<süd>", "plain": "a", "empty": "", "missing": ""}
    reading = {"set": {"X-Read": "{#context.attributes['tenant']}"}}
    assert passed(steps("transformHeaders", reading), one)
    assert one.request.headers["x-read"] == "<süd>"


def test_a_later_value_replaces_an_earlier_one_and_may_read_it(steps, exchange) -> None:
    one = exchange()
    for _ in range(2):
        values = {"trail": "{#context.attributes['trail']}x", "seen": "{#context.attributes['trail']}"}
        assert passed(steps("assignAttributes", {"attributes": values}), one)
    assert one.attributes == {"trail": "xx", "seen": "xx"}


def test_a_value_that_cannot_be_computed_leaves_the_attributes_before_it(steps, exchange) -> None:
    one = exchange()
    step = steps("assignAttributes", {"attributes": {"a": "1", "b": "{#request.headers['x'] < 1}"}})
    with pytest.raises(TypeError):
        step(one)
    assert one.attributes == {"a": "1"}


def test_a_broken_expression_is_found_at_load(steps) -> None:
    with pytest.raises(ExpressionError, match="did you mean `request`"):
        steps("assignAttributes", {"attributes": {"a": "{#reqest.path}"}})


@pytest.mark.parametrize("name", ["a", "_", "endpointGroup", "tenant.name-2", "a" * 128])
def test_names_that_can_be_written_in_an_expression_are_taken(steps, exchange, name: str) -> None:
    one = exchange()
    assert passed(steps("assignAttributes", {"attributes": {name: "v"}}), one)
    assert one.attributes == {name: "v"}


NAME = "does not match ^[A-Za-z_][A-Za-z0-9_.-]*$"
INVALID = [
    ({}, "attributes", "`attributes` is needed"),
    ({"attributes": {}}, "attributes", "needs at least 1, found 0"),
    ({"attributes": {"1a": "x"}}, "attributes.1a", f"the name of this entry: `1a` {NAME}"),
    ({"attributes": {"ä": "x"}}, "attributes.ä", f"the name of this entry: `ä` {NAME}"),
    ({"attributes": {"a": 1}}, "attributes.a", "expected a string, found `1`; put it in quotes"),
    ({"attributes": {f"a{i}": "x" for i in range(65)}}, "attributes", "at most 64 allowed, found more"),
    (
        {"attributes": {"a": "1"}, "atributes": {}},
        "atributes",
        "unknown field `atributes`, did you mean `attributes`?",
    ),
]


@pytest.mark.parametrize(("configuration", "field", "message"), INVALID)
def test_an_invalid_configuration_names_field_and_remedy(
    problems, configuration: dict[str, object], field: str, message: str
) -> None:
    assert problems({"assignAttributes": configuration}) == [(f"assignAttributes.{field}", message)]
