"""rateLimit: so many requests in a window; whose requests are counted together, and what clients are told."""

import pytest
from policy_outcomes import outcome, passed, refusal

from gateway_runtime.program.compile import Surroundings
from gateway_runtime.program.program import compile_program
from gateway_runtime.security.jwks import KeySets
from gateway_runtime.snapshot.codec import api_entry
from gateway_runtime.snapshot.types import (
    ApiSection,
    Endpoint,
    EndpointGroup,
    Flow,
    HttpRoute,
    KeylessSecurity,
    Plan,
    Snapshot,
    Step,
)
from gateway_runtime.stats import WorkerStats

REFUSED = (429, "RATE_LIMIT_TOO_MANY_REQUESTS")


def late(exchange) -> list[bytes]:
    return [line for _, line in exchange.late_headers or []]


def test_requests_beyond_the_limit_are_refused_until_the_window_ends(steps, exchange, clock) -> None:
    step = steps("rateLimit", {"limit": 2, "period": "10s"})
    assert [refusal(step, exchange()) for _ in range(4)] == [None, None, REFUSED, REFUSED]
    clock.time += 9.9
    assert refusal(step, exchange()) == REFUSED
    clock.time += 0.1
    assert [refusal(step, exchange()) for _ in range(3)] == [None, None, REFUSED]


def test_a_window_opens_with_a_clients_first_request(steps, exchange, clock) -> None:
    step = steps("rateLimit", {"limit": 1, "period": "10s"})
    clock.time += 7
    assert passed(step, exchange())
    clock.time += 9
    assert refusal(step, exchange()) == REFUSED
    clock.time += 1
    assert passed(step, exchange())


def test_a_refusal_tells_when_to_come_again_in_whole_seconds_never_zero(steps, exchange, clock) -> None:
    step = steps("rateLimit", {"limit": 1, "period": "2500ms"})
    outcome(step, exchange())
    for passed_time, seconds in ((0, "3"), (0.6, "2"), (1.85, "1")):
        clock.time += passed_time
        reply = outcome(step, exchange())
        assert reply is not None
        assert reply.headers == [("Retry-After", seconds)]
        assert reply.message == "At most 1 requests in 2.5 s are allowed."


def test_every_response_tells_limit_rest_and_reset(steps, exchange, clock) -> None:
    step = steps("rateLimit", {"limit": 2, "period": "10s"})
    told = []
    for _ in range(3):
        one = exchange()
        outcome(step, one)
        told.append(late(one))
        clock.time += 4
    assert told == [
        [b"X-Rate-Limit-Limit: 2", b"X-Rate-Limit-Remaining: 1", b"X-Rate-Limit-Reset: 10"],
        [b"X-Rate-Limit-Limit: 2", b"X-Rate-Limit-Remaining: 0", b"X-Rate-Limit-Reset: 6"],
        [b"X-Rate-Limit-Limit: 2", b"X-Rate-Limit-Remaining: 0", b"X-Rate-Limit-Reset: 2"],
    ]
    assert [name for name, _ in one.late_headers] == [
        b"x-rate-limit-limit", b"x-rate-limit-remaining", b"x-rate-limit-reset"
    ]  # fmt: skip


def test_responses_tell_nothing_where_that_is_not_wanted(steps, exchange) -> None:
    step = steps("rateLimit", {"limit": 1, "period": "1s", "addHeaders": False})
    one = exchange()
    assert passed(step, one)
    assert one.late_headers is None
    assert refusal(step, exchange()) == REFUSED


def test_clients_without_a_subscription_are_counted_by_address(steps, exchange) -> None:
    step = steps("rateLimit", {"limit": 1, "period": "1s"})
    assert passed(step, exchange(address="192.0.2.1"))
    assert passed(step, exchange(address="192.0.2.2"))
    assert refusal(step, exchange(address="192.0.2.1")) == REFUSED


def test_a_subscription_is_counted_whatever_its_addresses(steps, exchange) -> None:
    step = steps("rateLimit", {"limit": 1, "period": "1s"})
    assert passed(step, exchange(address="192.0.2.1", subscription="one"))
    assert refusal(step, exchange(address="192.0.2.2", subscription="one")) == REFUSED
    assert passed(step, exchange(address="192.0.2.1", subscription="two"))


def test_a_key_of_ones_own_takes_the_place_of_subscription_and_address(steps, exchange) -> None:
    step = steps("rateLimit", {"limit": 1, "period": "1s", "key": "{#request.headers['x-tenant']}"})
    assert passed(step, exchange(fields=(("X-Tenant", "north"),), subscription="one"))
    assert passed(step, exchange(fields=(("X-Tenant", "süd"),), subscription="one"))
    assert refusal(step, exchange(fields=(("X-Tenant", "north"),), address="192.0.2.9")) == REFUSED


def test_requests_without_a_value_for_the_key_are_counted_together(steps, exchange) -> None:
    step = steps("rateLimit", {"limit": 1, "period": "1s", "key": "{#request.headers['x-tenant']}"})
    assert passed(step, exchange(address="192.0.2.1"))
    assert refusal(step, exchange(address="192.0.2.2")) == REFUSED


@pytest.mark.parametrize("length", [1, 127, 128, 129, 5000])
def test_keys_of_any_length_are_told_apart_to_the_last_character(steps, exchange, length: int) -> None:
    step = steps("rateLimit", {"limit": 1, "period": "1s", "key": "{#request.headers['x-tenant']}"})
    first, second = "n" * length, "n" * (length - 1) + "m"
    assert passed(step, exchange(fields=(("X-Tenant", first),)))
    assert passed(step, exchange(fields=(("X-Tenant", second),)))
    assert refusal(step, exchange(fields=(("X-Tenant", first),))) == REFUSED


def test_subscriptions_addresses_and_keys_of_one_text_never_meet(steps, exchange) -> None:
    plain = steps("rateLimit", {"limit": 1, "period": "1s"})
    keyed = steps("rateLimit", {"limit": 1, "period": "1s", "key": "192.0.2.1"})
    kinds = [
        (plain, {"address": "192.0.2.1"}),
        (plain, {"subscription": "192.0.2.1"}),
        (keyed, {"address": "192.0.2.1"}),
    ]
    assert [refusal(step, exchange(**fields)) for step, fields in kinds] == [None] * 3
    assert [refusal(step, exchange(**fields)) for step, fields in kinds] == [REFUSED] * 3


def test_steps_count_apart(steps, exchange) -> None:
    configuration = {"limit": 1, "period": "1s"}
    for scope in ("shop/orders api 0 request 0", "shop/orders api 0 request 1", "shop/users api 0 request 0"):
        step = steps("rateLimit", configuration, scope=scope)
        assert passed(step, exchange())
        assert refusal(step, exchange()) == REFUSED


def test_a_step_compiled_anew_goes_on_counting(steps, exchange) -> None:
    configuration = {"limit": 1, "period": "1s"}
    assert passed(steps("rateLimit", configuration), exchange())
    assert refusal(steps("rateLimit", configuration), exchange()) == REFUSED


def test_a_rate_limit_and_a_quota_in_two_steps_both_hold(steps, exchange, clock) -> None:
    fast = steps("rateLimit", {"limit": 1, "period": "1s"}, scope="a 0")
    long = steps("quota", {"limit": 2, "period": "1h"}, scope="a 1")
    one = exchange()
    assert passed(fast, one)
    assert passed(long, one)
    assert [line.partition(b":")[0] for line in late(one)] == [
        b"X-Rate-Limit-Limit", b"X-Rate-Limit-Remaining", b"X-Rate-Limit-Reset",
        b"X-Quota-Limit", b"X-Quota-Remaining", b"X-Quota-Reset",
    ]  # fmt: skip
    assert refusal(fast, exchange()) == REFUSED
    clock.time += 1
    assert passed(fast, exchange())
    assert passed(long, exchange())
    assert refusal(long, exchange()) == (429, "QUOTA_TOO_MANY_REQUESTS")


@pytest.mark.parametrize("names", [("writes", "writes"), ("", ""), ("1", ""), ("", "0"), ("writes", "")])
def test_flows_count_apart_whatever_their_names(exchange, steps, names: tuple[str, str]) -> None:
    limit = Step(policy="rateLimit", configuration={"limit": 1, "period": "1s"})
    section = ApiSection(
        name="orders",
        namespace="shop",
        routes=(HttpRoute(path="/"),),
        endpoint_groups=(EndpointGroup(name="g", endpoints=(Endpoint(name="e", url="http://b.example"),)),),
        plans=(Plan(name="open", security=KeylessSecurity()),),
        flows=tuple(Flow(name=name, request=(limit,)) for name in names),
    )
    surroundings = Surroundings(steps.counter, WorkerStats().api, KeySets().source)
    program = compile_program(Snapshot(apis={"shop/orders": api_entry(section)}), surroundings)
    static = program.apis["shop/orders"].static
    assert static is not None
    assert [refusal(step, exchange()) for step in static.request].count(REFUSED) == 0


INVALID = [
    ({"period": "1s"}, "limit", "`limit` is needed"),
    ({"limit": 1}, "period", "`period` is needed"),
    ({"limit": 0, "period": "1s"}, "limit", "must be at least 1, found `0`"),
    ({"limit": True, "period": "1s"}, "limit", "expected a whole number, found `true`"),
    ({"limit": 2**53 + 1, "period": "1s"}, "limit", f"must be at most {2**53}, found `{2**53 + 1}`"),
    ({"limit": 1, "period": "0s"}, "period", "must be greater than 0, found `0s`"),
    ({"limit": 1, "period": "soon"}, "period", "expected a duration such as 250ms, 10s, 5m, 1h or 30d"),
    ({"limit": 1, "period": "1s", "key": "k" * 1025}, "key", "at most 1024 characters allowed"),
    (
        {"limit": 1, "period": "1s", "addHeader": True},
        "addHeader",
        "unknown field `addHeader`, did you mean `addHeaders`?",
    ),
]


@pytest.mark.parametrize("policy", ["rateLimit", "quota"])
@pytest.mark.parametrize(("configuration", "field", "message"), INVALID)
def test_an_invalid_configuration_names_field_and_remedy(
    problems, policy: str, configuration: dict[str, object], field: str, message: str
) -> None:
    assert problems({policy: configuration}) == [(f"{policy}.{field}", message)]


def test_it_is_of_the_request_phase_alone(problems) -> None:
    step = {"rateLimit": {"limit": 1, "period": "1s"}}
    assert problems(step) == []
    assert problems(step, "response") == [
        ("rateLimit", "the policy `rateLimit` cannot be used in the response phase")
    ]
