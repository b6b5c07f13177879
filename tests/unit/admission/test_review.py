"""One resource that is written -> what it is refused for, and what its author is warned of."""

from typing import Any

import pytest
from admission_world import OLD, YOUNG, api, gateway, index, plan, secret, subscription

from penstock_operator.admission.review import Verdict, review
from penstock_operator.resources.kube import KubeObject

EDGE = gateway("edge")


def words(problems: Any) -> list[str]:
    return [f"{problem} ({problem.reason})" for problem in problems]


def flow(**step: Any) -> list[KubeObject]:
    return [{"request": [step]}]


def test_a_good_resource_is_let_through_without_a_word() -> None:
    assert review(api("a"), None, index(EDGE)) == Verdict()


def test_a_path_of_an_older_api_is_refused() -> None:
    verdict = review(api("b"), None, index(EDGE, api("a", created=OLD)))
    assert words(verdict.refusals) == [
        "error: ApiDefinition shop/b spec.listeners[0].http.path: /orders on all hosts is served by the "
        "older ApiDefinition shop/a on the gateway shop/edge (RouteConflict)"
    ]


def test_a_path_is_free_where_no_gateway_serves_both() -> None:
    neighbours = index(gateway("red", "red"), gateway("blue", "blue"), api("a", created=OLD, tags=["red"]))
    assert review(api("b", tags=["blue"]), None, neighbours) == Verdict()


def test_a_path_is_free_where_the_other_api_has_lost_it_to_a_third() -> None:
    first, second = api("a", "/1", created=OLD), api("b", "/1", "/2", created="2026-01-15T00:00:00Z")
    assert review(api("c", "/2"), None, index(EDGE, first, second)).refusals == ()
    assert review(api("c", "/2"), None, index(EDGE, second)).refusals != ()


def test_an_edit_onto_a_taken_path_is_refused() -> None:
    taken = api("a", "/a", created=OLD)
    edit = review(api("b", "/a"), api("b", "/b"), index(EDGE, taken, api("b", "/b")))
    assert [problem.reason for problem in edit.refusals] == ["RouteConflict"]


def test_an_older_api_that_takes_the_path_of_a_younger_one_is_warned_of_it() -> None:
    younger = api("b", "/b", created=YOUNG)
    older = api("a", "/a", created=OLD)
    verdict = review(api("a", "/b", created=OLD), older, index(EDGE, older, younger))
    assert verdict.refusals == ()
    assert [(one.resource, one.reason) for one in verdict.warnings] == [
        ("ApiDefinition shop/b", "RouteConflict")
    ]


def test_nobody_is_warned_of_what_was_wrong_with_others_before() -> None:
    older, younger = api("a", created=OLD), api("b")
    neighbours = index(EDGE, older, younger)
    assert review(api("a", created=OLD, version="2"), older, neighbours) == Verdict()


def test_an_edit_is_not_refused_for_what_was_wrong_before() -> None:
    taken = api("a", created=OLD)
    neighbours = index(EDGE, taken, api("b"))
    assert review(api("b", version="2"), api("b"), neighbours).refusals == ()
    broken = {"properties": {"x": 7}}
    assert review(api("b", version="2", **broken), api("b", **broken), neighbours).refusals == ()


def test_an_edit_that_adds_an_error_to_another_is_refused_for_the_new_one() -> None:
    old = api("b", properties={"x": 7})
    verdict = review(api("b", properties={"x": 7}, version=3), old, index(EDGE))
    assert [problem.field for problem in verdict.refusals] == ["spec.version"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"flows": flow(rateLimt={})},
            "unknown policy `rateLimt`, did you mean `rateLimit`? (UnknownPolicy)",
        ),
        ({"flows": flow(custom={"name": "nothing"})}, "no installed plug-in has the policy `nothing`"),
        ({"flows": flow(rateLimit={"limit": 0, "period": "1s"})}, "found `0` (InvalidValue)"),
        ({"flows": flow(mock={"body": "{#request.pth}"})}, "did you mean `path`? (InvalidExpression)"),
        ({"flws": []}, "unknown field `flws`, did you mean `flows`? (UnknownField)"),
        ({"flows": flow(mock={"body": "{#api.properties.x}"})}, "the API has no property `x`"),
    ],
    ids=["policy", "plug-in", "configuration", "expression", "field", "property"],
)
def test_what_is_wrong_with_a_resource_is_refused(spec: KubeObject, message: str) -> None:
    [refusal] = words(review(api("a", **spec), None, index(EDGE)).refusals)
    assert message in refusal


def test_what_a_resource_refers_to_may_come_later() -> None:
    orphan = review(plan("gold", "a"), None, index())
    assert orphan.refusals == ()
    assert orphan.is_unresolved
    assert words(orphan.warnings) == [
        "warning: Plan shop/gold spec.apiRef.name: there is no ApiDefinition shop/a (ApiNotFound)"
    ]
    keyless = review(subscription("s", "gold"), None, index(api("a"), plan("gold", "a", apiKey={})))
    assert keyless.refusals == ()
    assert [problem.reason for problem in keyless.warnings] == ["SecretNotFound"]


def test_what_is_there_is_not_warned_of() -> None:
    neighbours = index(EDGE, api("a"), plan("gold", "a", apiKey={}), secret("key", "k" * 16))
    assert review(plan("silver", "a"), None, neighbours) == Verdict()
    assert review(subscription("s", "gold"), None, neighbours) == Verdict()


def test_a_reference_to_a_broken_resource_says_so() -> None:
    neighbours = index()
    neighbours.broken = frozenset(("ApiDefinition shop/a",))
    [warning] = review(plan("gold", "a"), None, neighbours).warnings
    assert warning.message == "the ApiDefinition shop/a is broken"


def test_a_key_that_an_older_subscription_has_is_refused() -> None:
    neighbours = index(
        api("a"),
        plan("gold", "a", apiKey={}),
        plan("basic", "a", apiKey={}),
        subscription("first", "basic", "k1", OLD),
        secret("k1", "k" * 16),
        secret("k2", "k" * 16),
    )
    verdict = review(subscription("second", "gold", "k2"), None, neighbours)
    assert [problem.reason for problem in verdict.refusals] == ["DuplicateKey"]


def test_an_unchanged_spec_and_a_resource_that_goes_are_let_through() -> None:
    broken = api("a", flows=flow(nothing={}))
    assert review(broken, broken, index(EDGE)) == Verdict()
    orphan = plan("gold", "nobody")
    assert review(orphan, orphan, index()) == Verdict()
    leaving = api("a", flows=flow(nothing={}))
    leaving["metadata"]["deletionTimestamp"] = YOUNG
    assert review(leaving, api("a"), index(EDGE)) == Verdict()
