"""mock: an answer in place of the backend's, which is no error."""

import pytest
from policy_outcomes import outcome

from gateway_runtime.exchange import HeaderError, field_line


def test_an_empty_mock_answers_200_with_nothing(steps, exchange) -> None:
    reply = outcome(steps("mock", {}), exchange())
    assert reply is not None
    assert (reply.status, reply.key, reply.headers, reply.body) == (200, "", [], b"")


def test_status_fields_and_body_come_as_they_are_given(steps, exchange) -> None:
    configuration = {
        "status": 418,
        "headers": {"Content-Type": "application/json", "X-Path": "{#request.path}"},
        "body": '{"tenant": "{#request.headers[\'x-tenant\']}", "sign": "€"}',
    }
    reply = outcome(steps("mock", configuration), exchange(fields=(("X-Tenant", "süd"),)))
    assert reply is not None
    assert reply.status == 418
    assert reply.headers == [("Content-Type", "application/json"), ("X-Path", "/items/7")]
    assert reply.body == '{"tenant": "süd", "sign": "€"}'.encode()


def test_it_is_no_error_so_that_the_response_phase_runs(steps, exchange) -> None:
    reply = outcome(steps("mock", {"status": 500}), exchange())
    assert reply is not None
    assert reply.key == ""


def test_a_mock_may_depend_on_a_condition(steps, exchange) -> None:
    step = steps("mock", {}, condition="{#request.method == 'OPTIONS'}")
    assert outcome(step, exchange(method="OPTIONS")) is not None
    assert outcome(step, exchange(method="GET")) is None


def test_a_computed_field_cannot_break_the_head(steps, exchange) -> None:
    one = exchange()
    one.attributes["given"] = "a\r\nX-Evil: 1"
    reply = outcome(steps("mock", {"headers": {"X-A": "{#context.attributes.given}"}}), one)
    assert reply is not None
    with pytest.raises(HeaderError):  # as the transaction writes it, which then answers 500
        field_line(*reply.headers[0])


INVALID = [
    ({"status": 100}, "status", "must be at least 200, found `100`"),
    ({"status": 600}, "status", "must be at most 599, found `600`"),
    ({"status": "200"}, "status", "expected a whole number, found `200`"),
    (
        {"headers": {"Content-Length": "3"}},
        "headers.Content-Length",
        "the name of this entry: Content-Length belongs to the connection; the gateway sets it",
    ),
    (
        {"headers": {"X-A": "a\nb"}},
        "headers.X-A",
        "a header value holds no control characters, line breaks or characters beyond ISO-8859-1",
    ),
    ({"body": {"a": 1}}, "body", "expected a string, found a mapping"),
    ({"body": "x" * 262_145}, "body", "at most 262144 characters allowed"),
    ({"boddy": ""}, "boddy", "unknown field `boddy`, did you mean `body`?"),
]


@pytest.mark.parametrize(("configuration", "field", "message"), INVALID)
def test_an_invalid_configuration_names_field_and_remedy(
    problems, configuration: dict[str, object], field: str, message: str
) -> None:
    assert problems({"mock": configuration}) == [(f"mock.{field}", message)]


def test_it_is_of_the_request_phase_alone(problems) -> None:
    assert problems({"mock": {}}) == []
    assert problems({"mock": {}}, "response") == [
        ("mock", "the policy `mock` cannot be used in the response phase")
    ]
