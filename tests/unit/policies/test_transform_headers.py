"""transformHeaders: fields removed, set and added, in this order, in both phases."""

import pytest
from policy_outcomes import passed

from gateway_runtime.exchange import HeaderError
from gateway_runtime.policies.steps import PolicyError

SENT = (("Accept", "text/html"), ("X-A", "1"), ("x-a", "2"), ("X-B", "b"))


def after(steps, exchange, configuration: dict[str, object], phase: str = "request") -> list[tuple[str, str]]:
    """The fields that are left of those sent."""
    one = exchange(fields=SENT, status=None if phase == "request" else 200)
    assert passed(steps("transformHeaders", configuration, phase), one)
    return (one.request if phase == "request" else one.response).headers.items()


CHANGES = [
    ({"remove": ["x-A"]}, [("accept", "text/html"), ("x-b", "b")]),
    ({"remove": ["Nothing"]}, [("accept", "text/html"), ("x-a", "1"), ("x-a", "2"), ("x-b", "b")]),
    ({"set": {"X-A": "3"}}, [("accept", "text/html"), ("x-b", "b"), ("x-a", "3")]),
    ({"set": {"X-A": "{#'3'}"}}, [("accept", "text/html"), ("x-b", "b"), ("x-a", "3")]),
    ({"set": {"X-A": "{#api.name}"}}, [("accept", "text/html"), ("x-b", "b"), ("x-a", "orders")]),
    ({"add": {"X-B": "c"}}, [*[(name.lower(), value) for name, value in SENT], ("x-b", "c")]),
    ({"add": {"X-C": ""}}, [*[(name.lower(), value) for name, value in SENT], ("x-c", "")]),
    ({"set": {"X-B": "1", "x-b": "2"}, "remove": ["X-A", "Accept"]}, [("x-b", "2")]),
    (
        {"remove": ["X-A", "x-b"], "set": {"X-A": "s"}, "add": {"X-A": "{#api.name}", "x-a": " b "}},
        [("accept", "text/html"), ("x-a", "s"), ("x-a", "orders"), ("x-a", "b")],
    ),
]


@pytest.mark.parametrize("phase", ["request", "response"])
@pytest.mark.parametrize(("configuration", "expected"), CHANGES)
def test_fields_are_removed_set_and_added_in_this_order(
    steps, exchange, configuration: dict[str, object], expected: list[tuple[str, str]], phase: str
) -> None:
    assert after(steps, exchange, configuration, phase) == expected


def test_names_go_on_the_wire_as_they_are_written(steps, exchange) -> None:
    one = exchange()
    assert passed(steps("transformHeaders", {"set": {"X-Tenant": "süd", "x-LOW": "{#api.name}"}}), one)
    assert one.request.headers.lines == ["X-Tenant: süd".encode("latin-1"), b"x-LOW: orders"]


def test_each_phase_leaves_the_other_messages_fields_alone(steps, exchange) -> None:
    one = exchange(fields=SENT, status=200)
    assert passed(steps("transformHeaders", {"set": {"X-Q": "1"}}, "request"), one)
    assert "x-q" in one.request.headers
    assert "x-q" not in one.response.headers
    assert passed(steps("transformHeaders", {"remove": ["X-Q"], "set": {"X-R": "1"}}, "response"), one)
    assert "x-q" in one.request.headers
    assert "x-r" not in one.request.headers


def test_a_value_is_computed_from_the_request_as_it_is_by_then(steps, exchange) -> None:
    one = exchange(fields=(("X-A", "1"), ("X-A", "2")))
    step = steps(
        "transformHeaders",
        {"set": {"X-B": "<{#request.headers['x-a']}>", "X-C": "{#request.headers['x-b']}"}},
    )
    assert passed(step, one)
    assert one.request.headers["x-c"] == "<1, 2>"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "nul\0", "del\x7f", "€"])
@pytest.mark.parametrize("kind", ["set", "add"])
def test_a_computed_value_that_would_break_the_line_is_never_put_in(
    steps, exchange, value: str, kind: str
) -> None:
    one = exchange()
    one.attributes["given"] = value
    step = steps("transformHeaders", {kind: {"X-A": "{#context.attributes.given}"}})
    with pytest.raises(HeaderError):
        step(one)
    assert one.request.headers.lines == []


def test_a_secret_that_is_no_header_value_stops_the_load_without_telling_it(steps) -> None:
    steps.secrets["token"] = "s3cret\n"
    with pytest.raises(HeaderError) as raised:
        steps("transformHeaders", {"set": {"Authorization": "{#secrets.get('token')}"}})
    assert "s3cret" not in str(raised.value)


def test_a_secret_is_a_ready_line(steps, exchange) -> None:
    steps.secrets["token"] = "s3cret"
    one = exchange()
    assert passed(
        steps("transformHeaders", {"set": {"Authorization": "Bearer {#secrets.get('token')}"}}), one
    )
    assert one.request.headers.lines == [b"Authorization: Bearer s3cret"]


def test_a_phase_without_a_response_changes_nothing(steps, exchange) -> None:
    one = exchange(fields=SENT)
    assert passed(steps("transformHeaders", {"remove": ["X-A"]}, "response"), one)
    assert len(one.request.headers) == len(SENT)


CONNECTION_FIELDS = [
    "Connection", "content-length", "Expect", "HOST", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
    "Transfer-Encoding", "Upgrade",
]  # fmt: skip


@pytest.mark.parametrize("name", CONNECTION_FIELDS)
def test_fields_of_the_connection_cannot_be_changed(problems, name: str) -> None:
    told = f"{name} belongs to the connection; the gateway sets it"
    assert problems({"transformHeaders": {"remove": [name]}}) == [("transformHeaders.remove[0]", told)]
    for kind in ("set", "add"):
        assert problems({"transformHeaders": {kind: {name: "1"}}}) == [
            (f"transformHeaders.{kind}.{name}", f"the name of this entry: {told}")
        ]


TEXT = "a header value holds no control characters, line breaks or characters beyond ISO-8859-1"
INVALID = [
    ({}, "", "remove, set or add is needed"),
    ({"set": {"X": "a\nb"}}, ".set.X", TEXT),
    ({"add": {"X": "a\0"}}, ".add.X", TEXT),
    ({"set": {"X": "€"}}, ".set.X", TEXT),
    ({"set": {"X": 1}}, ".set.X", "expected a string, found `1`; put it in quotes"),
    ({"remove": "X"}, ".remove", "expected a list, found `X`"),
    ({"delete": ["X"]}, ".delete", "unknown field `delete`; known: `add`, `remove`, `set`"),
    ({"remove": ["X"] * 65}, ".remove", "at most 64 allowed, found more"),
]


@pytest.mark.parametrize("phase", ["request", "response"])
@pytest.mark.parametrize(("configuration", "field", "message"), INVALID)
def test_an_invalid_configuration_names_field_and_remedy(
    problems, configuration: dict[str, object], field: str, message: str, phase: str
) -> None:
    assert problems({"transformHeaders": configuration}, phase) == [(f"transformHeaders{field}", message)]


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "x\n", "x" * 257])
def test_a_name_that_no_field_can_have_is_refused(steps, problems, name: str) -> None:
    for configuration in ({"remove": [name]}, {"set": {name: "1"}}, {"add": {name: "1"}}):
        assert len(problems({"transformHeaders": configuration})) == 1
        with pytest.raises(PolicyError, match="transformHeaders"):
            steps("transformHeaders", configuration)
