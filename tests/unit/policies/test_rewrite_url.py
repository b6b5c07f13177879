"""rewriteUrl: a new path and query for the backend; never one that leaves its place or breaks the line."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_outcomes import passed, refusal

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Request
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.steps import compile_step
from gateway_runtime.snapshot.types import Step

INVALID_RESULT = (400, "REWRITE_URL_INVALID")


def rewritten(steps, one: Exchange, **configuration: str) -> tuple[str, str]:
    """The path and query that the backend gets."""
    assert passed(steps("rewriteUrl", configuration), one)
    return one.request.api_path, one.request.query


def test_a_path_is_replaced_and_the_query_kept(steps, exchange) -> None:
    assert rewritten(steps, exchange("/old", "a=1&b"), path="/new") == ("/new", "a=1&b")


def test_a_query_is_replaced_and_the_path_kept(steps, exchange) -> None:
    assert rewritten(steps, exchange("/old", "a=1"), query="b={#request.method}") == ("/old", "b=GET")


def test_an_empty_query_takes_the_query_away(steps, exchange) -> None:
    assert rewritten(steps, exchange("/old", "a=1"), query="") == ("/old", "")


def test_the_path_that_the_client_sent_stays_known(steps, exchange) -> None:
    one = exchange("/old")
    rewritten(steps, one, path="/new")
    assert (one.request.path, one.request.api_path) == ("/old", "/new")


def test_named_groups_are_read_as_path_parameters(steps, exchange) -> None:
    moved = rewritten(
        steps,
        exchange("/v1/items/7/parts/caf%C3%A9"),
        pattern="/v1/items/(?P<id>[0-9]+)/parts/(?P<part>.+)",
        path="/parts/{#request.path_params.part}",
        query="item={#request.path_params.id}",
    )
    assert moved == ("/parts/caf%C3%A9", "item=7")


def test_a_group_that_took_no_part_is_missing(steps, exchange) -> None:
    moved = rewritten(
        steps,
        exchange("/items"),
        pattern="/items(?:/(?P<id>[0-9]+))?",
        path="/x/{#request.path_params.id | default('all')}",
    )
    assert moved == ("/x/all", "")


def test_groups_join_the_parameters_of_the_flow(steps, exchange) -> None:
    one = exchange("/items/7")
    one.request.path_params = {"kind": "items"}
    rewritten(steps, one, pattern="/items/(?P<id>.+)", path="/x")
    assert one.request.path_params == {"kind": "items", "id": "7"}


def test_a_group_that_took_no_part_leaves_the_parameter_of_the_flow(steps, exchange) -> None:
    one = exchange("/items")
    one.request.path_params = {"id": "9"}
    assert (
        rewritten(steps, one, pattern="/items(?:/(?P<id>.+))?", path="/x/{#request.path_params.id}")[0]
        == "/x/9"
    )


@pytest.mark.parametrize("path", ["/v1", "/v10/x", "/x/v1/", "/v1/a/b"])
def test_only_a_whole_match_is_rewritten(steps, exchange, path: str) -> None:
    assert rewritten(steps, exchange(path), pattern="/v1/[^/]*", path="/new") == (path, "")


def test_two_rewrites_work_one_upon_the_other(steps, exchange) -> None:
    one = exchange("/a/7")
    rewritten(steps, one, pattern="/a/(?P<id>.*)", path="/b/{#request.path_params.id}")
    assert rewritten(steps, one, pattern="/b/(?P<id>.*)", path="/c/{#request.path_params.id}") == ("/c/7", "")


def test_the_result_is_in_normal_form(steps, exchange) -> None:
    assert rewritten(steps, exchange(), path="//a///%7eb/%c3%a9") == ("/a/~b/%C3%A9", "")


CLIMBING = [
    "..", ".", "../admin", "a/../admin", "%2e%2e", "%2E.", ".%2e/admin", "..%2fadmin", "a%2F..%2Fadmin",
    "%2e%2e%2f", "..%5cadmin", "a%5C..",
]  # fmt: skip


@pytest.mark.parametrize("value", CLIMBING)
def test_a_value_never_climbs_out_of_its_place(steps, exchange, value: str) -> None:
    one = exchange(fields=(("X-Place", value),))
    assert (
        refusal(steps("rewriteUrl", {"path": "/public/{#request.headers['x-place']}"}), one) == INVALID_RESULT
    )
    assert one.request.api_path == "/items/7"


@pytest.mark.parametrize("value", ["...", "a..b", "..a", "%252e%252e", ".well-known", "a%2Fb"])
def test_dots_that_are_no_dot_segment_pass(steps, exchange, value: str) -> None:
    one = exchange(fields=(("X-Place", value),))
    assert rewritten(steps, one, path="/p/{#request.headers['x-place']}") == (f"/p/{value}", "")


@pytest.mark.parametrize(
    "value", ["a b", "a\r\nX: 1", "a\n", "a\0", "%00", "%zz", "100%", "é", "a?b=1", "a#b", "\ud800"]
)
def test_a_value_that_no_path_can_hold_is_refused(steps, exchange, value: str) -> None:
    one = exchange()
    one.attributes["given"] = value
    assert refusal(steps("rewriteUrl", {"path": "/p/{#context.attributes.given}"}), one) == INVALID_RESULT
    assert (one.request.api_path, one.request.query) == ("/items/7", "")


@pytest.mark.parametrize("value", ["a b", "a\r\nX: 1", "%0", "é", "a#b", "\ud800"])
def test_a_value_that_no_query_can_hold_is_refused(steps, exchange, value: str) -> None:
    one = exchange("/items/7", "q=1")
    one.attributes["given"] = value
    step = steps("rewriteUrl", {"path": "/new", "query": "v={#context.attributes.given}"})
    assert refusal(step, one) == INVALID_RESULT
    assert (one.request.api_path, one.request.query) == ("/items/7", "q=1")


def test_urlencode_makes_any_value_one_segment_and_one_parameter(steps, exchange) -> None:
    one = exchange()
    one.attributes["given"] = "a/b&c=é ?#"
    encoded = "a%2Fb%26c%3D%C3%A9%20%3F%23"
    value = "{#context.attributes.given | urlencode}"
    assert rewritten(steps, one, path=f"/p/{value}", query=f"v={value}") == (f"/p/{encoded}", f"v={encoded}")


@pytest.mark.parametrize("value", ["", "items", "//", "http://evil.example/"])
def test_a_path_that_is_one_expression_must_come_out_absolute(steps, exchange, value: str) -> None:
    one = exchange()
    one.attributes["given"] = value
    step = steps("rewriteUrl", {"path": "{#context.attributes.given}"})
    if value.startswith("/"):
        assert passed(step, one)
        assert one.request.api_path == "/"
    else:
        assert refusal(step, one) == INVALID_RESULT


@given(st.text())
def test_whatever_a_value_is_the_path_stays_in_place_or_is_refused(value: str) -> None:
    one = Exchange(Request("GET", "/", "", "HTTP/1.1", Headers([], [])), ApiInfo("a", "b", "", {}))
    one.attributes["given"] = value
    step = Step(policy="rewriteUrl", configuration={"path": "/public/{#context.attributes.given}"})
    run = compile_step(step, "request", StepEnvironment("a", {}.__getitem__, None))  # type: ignore[arg-type]
    if refusal(run, one) is None:
        assert one.request.api_path.startswith("/public/")
        assert ".." not in one.request.api_path.split("/")
        assert one.request.api_path.isascii()
        assert one.request.api_path.isprintable()


def test_a_pattern_that_backtracks_elsewhere_takes_linear_time(steps, exchange) -> None:
    step = steps("rewriteUrl", {"pattern": "/(a|a|aa)*(a*)*b", "path": "/new"})
    started = time.process_time()
    assert passed(step, one := exchange("/" + "a" * 8000))
    assert time.process_time() - started < 1
    assert one.request.api_path != "/new"


SYNTAX = "is no regular expression of the syntax RE2"
INVALID = [
    ({}, "", "path or query is needed"),
    ({"pattern": "/a"}, "", "path or query is needed"),
    ({"pattern": "/(", "path": "/"}, ".pattern", f"{SYNTAX}: missing ): /("),
    ({"pattern": "(?<=a)b", "path": "/"}, ".pattern", f"{SYNTAX}: invalid perl operator: (?<="),
    ({"pattern": r"(.)\1", "path": "/"}, ".pattern", rf"{SYNTAX}: invalid escape sequence: \1"),
    ({"pattern": "", "path": "/"}, ".pattern", "needs at least 1 characters"),
    ({"pattern": "a" * 257, "path": "/"}, ".pattern", "at most 256 characters allowed"),
    ({"path": "items"}, ".path", "`items` does not match ^[/{]"),
    ({"path": "/" * 2049}, ".path", "at most 2048 characters allowed"),
    ({"query": "q" * 4097}, ".query", "at most 4096 characters allowed"),
    ({"path": "/", "regex": "/a"}, ".regex", "unknown field `regex`; known: `path`, `pattern`, `query`"),
]


@pytest.mark.parametrize(("configuration", "field", "message"), INVALID)
def test_an_invalid_configuration_names_field_and_remedy(
    problems, configuration: dict[str, object], field: str, message: str
) -> None:
    assert problems({"rewriteUrl": configuration}) == [(f"rewriteUrl{field}", message)]


def test_a_pattern_that_would_fill_the_memory_is_refused(problems) -> None:
    pattern = "((a{100}){100}){100}"
    assert [field for field, _ in problems({"rewriteUrl": {"pattern": pattern, "path": "/"}})] == [
        "rewriteUrl.pattern"
    ]


def test_it_is_of_the_request_phase_alone(problems) -> None:
    assert problems({"rewriteUrl": {"path": "/"}}) == []
    assert problems({"rewriteUrl": {"path": "/"}}, "response") == [
        ("rewriteUrl", "the policy `rewriteUrl` cannot be used in the response phase")
    ]
