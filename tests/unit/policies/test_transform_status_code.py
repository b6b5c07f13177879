"""transformStatusCode: the status and its phrase change, nothing else."""

import pytest
from policy_outcomes import passed

FIELDS = (("Content-Type", "text/plain"), ("X-A", "1"))


def after(steps, exchange, status: int, *mappings: tuple[int, int]) -> tuple[int, bytes]:
    listed = [{"from": before, "to": to} for before, to in mappings]
    one = exchange(status=status, fields=FIELDS)
    assert passed(steps("transformStatusCode", {"mappings": listed}, "response"), one)
    assert one.response.headers.items() == [(name.lower(), value) for name, value in FIELDS]
    return one.response.status, one.response.reason


def test_a_mapped_status_gets_the_phrase_of_the_new_one(steps, exchange) -> None:
    assert after(steps, exchange, 201, (201, 200)) == (200, b"OK")
    assert after(steps, exchange, 500, (500, 503)) == (503, b"Service Unavailable")


def test_a_status_without_a_name_gets_no_phrase(steps, exchange) -> None:
    assert after(steps, exchange, 200, (200, 299)) == (299, b"")


def test_a_status_that_is_not_mapped_stays_as_it_came(steps, exchange) -> None:
    assert after(steps, exchange, 404, (201, 200)) == (404, b"As Sent")


def test_mappings_are_not_followed_one_after_the_other(steps, exchange) -> None:
    assert after(steps, exchange, 201, (201, 202), (202, 203)) == (202, b"Accepted")


def test_the_last_mapping_of_a_status_counts(steps, exchange) -> None:
    assert after(steps, exchange, 201, (201, 202), (201, 200)) == (200, b"OK")


def test_the_ends_of_the_range_are_statuses(steps, exchange) -> None:
    assert after(steps, exchange, 200, (200, 599))[0] == 599
    assert after(steps, exchange, 599, (599, 200))[0] == 200


def test_without_a_response_nothing_happens(steps, exchange) -> None:
    step = steps("transformStatusCode", {"mappings": [{"from": 201, "to": 200}]}, "response")
    one = exchange()
    assert passed(step, one)
    assert one.response is None


INVALID = [
    ({}, ".mappings", "`mappings` is needed"),
    ({"mappings": []}, ".mappings", "needs at least 1, found 0"),
    ({"mappings": [{"from": 101, "to": 200}]}, ".mappings[0].from", "must be at least 200, found `101`"),
    ({"mappings": [{"from": 200, "to": 600}]}, ".mappings[0].to", "must be at most 599, found `600`"),
    ({"mappings": [{"from": 200}]}, ".mappings[0].to", "`to` is needed"),
    (
        {"mappings": [{"from": "200", "to": 201}]},
        ".mappings[0].from",
        "expected a whole number, found `200`",
    ),
    (
        {"mappings": [{"from": 200, "to": 201, "until": 1}]},
        ".mappings[0].until",
        "unknown field `until`; known: `from`, `to`",
    ),
]


@pytest.mark.parametrize(("configuration", "field", "message"), INVALID)
def test_an_invalid_configuration_names_field_and_remedy(
    problems, configuration: dict[str, object], field: str, message: str
) -> None:
    told = problems({"transformStatusCode": configuration}, "response")
    assert told == [(f"transformStatusCode{field}", message)]


def test_it_is_of_the_response_phase_alone(problems) -> None:
    step = {"transformStatusCode": {"mappings": [{"from": 201, "to": 200}]}}
    assert problems(step, "response") == []
    assert problems(step) == [
        ("transformStatusCode", "the policy `transformStatusCode` cannot be used in the request phase")
    ]
