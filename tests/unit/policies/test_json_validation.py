"""jsonValidation: bodies that are no JSON, or not of the schema, are refused; in bounded time and memory."""

import time

import pytest
from policy_outcomes import outcome, passed, refusal

ITEM = {
    "type": "object",
    "properties": {"id": {"type": "integer", "minimum": 1}, "name": {"type": "string", "maxLength": 4}},
    "required": ["id"],
    "additionalProperties": False,
}
NO_JSON = (400, "JSON_INVALID_FORMAT")
NO_FIT = (400, "JSON_INVALID_PAYLOAD")


def checked(steps, exchange, body: bytes, schema: dict[str, object] | None = None) -> tuple[int, str] | None:
    step = steps("jsonValidation", {"schema": ITEM if schema is None else schema})
    return refusal(step, exchange(method="POST", body=body))


def message(steps, exchange, body: bytes, schema: dict[str, object] | None = None) -> str:
    reply = outcome(
        steps("jsonValidation", {"schema": ITEM if schema is None else schema}), exchange(body=body)
    )
    assert reply is not None
    return reply.message


@pytest.mark.parametrize(
    "body",
    [b'{"id": 7}', b' {"id":7,"name":"s\xc3\xbcd"}\n', b'{"id": 7.0}', '{"id":1,"name":"😀😀😀😀"}'.encode()],
)
def test_a_body_that_fits_passes(steps, exchange, body: bytes) -> None:
    assert checked(steps, exchange, body) is None


MISFITS = [
    (b"{}", '/: "id" is a required property'),
    (b'{"id": 0}', "/id: 0 is less than the minimum of 1"),
    (b'{"id": "7"}', '/id: "7" is not of type "integer"'),
    (b'{"id": 1, "name": "longer"}', '/name: "longer" is longer than 4 characters'),
    (b'{"id": 1, "more": 1}', "/: Additional properties are not allowed ('more' was unexpected)"),
    (b"[]", '/: [] is not of type "object"'),
    (b"null", '/: null is not of type "object"'),
]


@pytest.mark.parametrize(("body", "told"), MISFITS)
def test_a_body_that_does_not_fit_is_told_where_and_why(steps, exchange, body: bytes, told: str) -> None:
    assert checked(steps, exchange, body) == NO_FIT
    assert message(steps, exchange, body) == f"The request body is not valid: {told}"


NOT_JSON = [
    b"", b" ", b"{", b"{'id': 1}", b'{"id": 1,}', b'{"id": 1} x', b"\xff", b'"\xed\xa0\x80"',
    b"\xef\xbb\xbf{}", '{"id": 1}'.encode("utf-16"), b"NaN", b"[Infinity]", b"-Infinity", b"01",
    b"+1", b".5", b"1.", b"'a'", b'"\n"',
    b"// c\n{}", b"undefined", b"\x1f\x8b\x08\x00",
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON)
def test_a_body_that_is_no_json_is_refused_whatever_the_schema(steps, exchange, body: bytes) -> None:
    assert checked(steps, exchange, body, {}) == NO_JSON


@pytest.mark.parametrize("body", [b'{"id":1,"id":2}', b'[{"a":{"b":1,"\\u0062":2}}]'])
def test_an_object_with_a_member_twice_is_refused(steps, exchange, body: bytes) -> None:
    """Parsers differ in which of the two they take (RFC 8259 section 4)."""
    assert checked(steps, exchange, body, {}) == NO_JSON
    assert "a member twice" in message(steps, exchange, body, {})


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" + b"0" * 400 + b".0", b"9" * 5000])
def test_a_number_beyond_what_can_be_compared_is_refused(steps, exchange, number: bytes) -> None:
    assert checked(steps, exchange, b"[" + number + b"]", {"items": {"maximum": 5}}) == NO_JSON


def test_great_numbers_are_compared_exactly(steps, exchange) -> None:
    schema = {"maximum": 2**64}
    assert checked(steps, exchange, b"%d" % 2**64, schema) is None
    assert checked(steps, exchange, b"%d" % (2**64 + 1), schema) == NO_FIT
    assert checked(steps, exchange, b"1" + b"0" * 400, schema) == NO_FIT


@pytest.mark.parametrize("body", [b'"\\ud800"', b'{"\\udfff": 1}'])
def test_half_a_character_is_no_text(steps, exchange, body: bytes) -> None:
    schema = {"propertyNames": {"maxLength": 9}, "maxLength": 9}
    assert checked(steps, exchange, body, schema) == NO_JSON


@pytest.mark.parametrize("depth", [5000, 1_000_000])
def test_a_body_nested_without_bounds_is_refused(steps, exchange, depth: int) -> None:
    body = b"[" * depth + b"]" * depth
    assert checked(steps, exchange, body, {}) == NO_JSON
    assert message(steps, exchange, body, {}) == "The request body is not valid: it is nested too deeply"


def test_a_schema_that_refers_to_itself_checks_every_level(steps, exchange) -> None:
    tree = {"type": "array", "items": {"$ref": "#"}}
    assert checked(steps, exchange, b"[[[[]], []]]", tree) is None
    assert checked(steps, exchange, b"[[[[1]], []]]", tree) == NO_FIT


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}])
def test_a_schema_that_only_refers_to_itself_ends(steps, exchange, schema: dict[str, object]) -> None:
    assert checked(steps, exchange, b"{}", schema) is None


def test_a_body_of_very_many_errors_is_refused_at_the_first(steps, exchange) -> None:
    body = b"[" + b"1," * 500_000 + b"1]"
    started = time.process_time()
    assert checked(steps, exchange, body, {"items": {"type": "string"}}) == NO_FIT
    assert time.process_time() - started < 2


SLOW = r"^(?:(a|aa)\1?)+b|^a+!$"
"""Finds a text of a few letters, after a number of attempts that grows with each letter by half."""


@pytest.mark.parametrize("schema", [{"pattern": SLOW}, {"not": {"not": {"pattern": SLOW}}}])
def test_a_pattern_that_takes_too_many_attempts_refuses_the_text(steps, exchange, schema) -> None:
    assert checked(steps, exchange, b'"aaaaaaaa!"', schema) is None
    assert checked(steps, exchange, b'"aaaaaaaaaaaaaaaa!"', schema) == NO_FIT


def test_a_pattern_that_never_ends_refuses_even_where_it_must_not_match(steps, exchange) -> None:
    started = time.process_time()
    assert checked(steps, exchange, b'"' + b"a" * 100_000 + b'!"', {"not": {"pattern": SLOW}}) == NO_FIT
    assert time.process_time() - started < 1


def test_what_is_told_of_a_long_value_is_short(steps, exchange) -> None:
    told = message(steps, exchange, b'"' + b"x" * 100_000 + b'"', {"maxLength": 1})
    assert len(told) < 600


def test_the_draft_is_that_of_the_schema(steps, exchange) -> None:
    """In draft 4 `exclusiveMinimum` is a truth value, later a number."""
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True}
    assert checked(steps, exchange, b"1", old) == NO_FIT
    assert checked(steps, exchange, b"2", old) is None
    assert checked(steps, exchange, b"1", {"exclusiveMinimum": 1}) == NO_FIT


# -- the response phase


def response_refusal(
    steps, exchange, body: bytes, status: int = 200, method: str = "GET"
) -> tuple[int, str] | None:
    step = steps("jsonValidation", {"schema": ITEM}, "response")
    return refusal(step, exchange(status=status, method=method, body=body))


def test_a_response_that_fits_passes(steps, exchange) -> None:
    assert response_refusal(steps, exchange, b'{"id": 7}') is None


def test_a_response_that_does_not_fit_is_the_backends_fault(steps, exchange) -> None:
    assert response_refusal(steps, exchange, b"{}") == (500, "JSON_INVALID_RESPONSE_PAYLOAD")
    assert response_refusal(steps, exchange, b"<html>") == (500, "JSON_INVALID_RESPONSE_FORMAT")
    assert response_refusal(steps, exchange, b"") == (500, "JSON_INVALID_RESPONSE_FORMAT")


def test_a_client_is_not_told_what_the_backend_sent(steps, exchange) -> None:
    reply = outcome(
        steps("jsonValidation", {"schema": ITEM}, "response"), exchange(status=200, body=b'{"id": "s3cret"}')
    )
    assert reply is not None
    assert reply.message == "The backend's response is not valid."


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_a_response_that_can_have_no_body_passes(steps, exchange, method: str, status: int) -> None:
    assert response_refusal(steps, exchange, b"", status, method) is None


# -- configuration


def invalid(problems, schema: object) -> str:
    found = problems({"jsonValidation": {"schema": schema}})
    assert [field for field, _ in found] == ["jsonValidation.schema"]
    return found[0][1]


def test_a_schema_that_is_none_is_told_so(problems) -> None:
    assert invalid(problems, {"type": "strin"}).startswith('is no JSON Schema: "strin" is not valid')
    assert invalid(problems, {"pattern": "("}) == 'is no JSON Schema: "(" is not a "regex"'
    assert invalid(problems, {"$ref": "#/$defs/a"}) == "is no JSON Schema: Pointer '/$defs/a' does not exist"
    assert "urn:unknown" in invalid(problems, {"$schema": "urn:unknown"})
    assert invalid(problems, "text") == "expected a mapping, found `text`"


@pytest.mark.parametrize(
    "uri", ["http://192.0.2.1/a.json", "file:///etc/passwd", "http://json-schema.org/other"]
)
def test_references_to_other_documents_are_not_followed(problems, uri: str) -> None:
    assert "references to other documents are not followed" in invalid(problems, {"$ref": uri})


def nested(depth: int) -> dict[str, object]:
    schema: dict[str, object] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


def test_a_schema_is_bounded_in_length_and_depth(steps, problems) -> None:
    assert invalid(problems, {"title": "x" * 131_072}) == "is longer than 131072 characters"
    assert "Recursion limit" in invalid(problems, nested(500))
    assert invalid(problems, nested(5000)) == "is nested too deeply"
    assert problems({"jsonValidation": {"schema": nested(100)}}) == []


def test_a_schema_is_needed(problems) -> None:
    assert problems({"jsonValidation": {}}, "response") == [("jsonValidation.schema", "`schema` is needed")]


def test_it_is_of_both_phases(problems) -> None:
    for phase in ("request", "response"):
        assert problems({"jsonValidation": {"schema": {}}}, phase) == []


def test_a_condition_may_leave_requests_unchecked(steps, exchange) -> None:
    step = steps("jsonValidation", {"schema": ITEM}, condition="{#request.method == 'POST'}")
    assert passed(step, exchange(method="GET"))
    assert refusal(step, exchange(method="POST")) == NO_JSON
