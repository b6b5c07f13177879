"""API key plans: which keys open what, and what becomes of the key."""

from __future__ import annotations

import msgspec
import pytest
from security_world import NOW, World, exchange, key_subscription, refused

from gateway_runtime.snapshot.keys import key_digest
from gateway_runtime.snapshot.types import ApiKeySecurity, Plan

KEY = "key-of-mobile-0001"
GOLD = Plan(name="gold", security=ApiKeySecurity())
QUERY = Plan(name="gold", security=ApiKeySecurity(query="api-key"))
MOBILE = key_subscription("mobile", KEY)


def test_a_good_key_lets_in_and_names_plan_and_subscription(world: World) -> None:
    admit = world.admission(GOLD, subscriptions=(MOBILE,))
    request = exchange(("X-Api-Key", KEY))
    assert admit(request) is None
    assert request.plan == "gold"
    assert request.subscription is not None
    assert request.subscription.name == "mobile"
    assert request.subscription.application.name == "mobile-app"


@pytest.mark.parametrize("key", ["", "short", "key-of-mobile-0002", KEY + " x", "x" * 1025, "\xfc" * 20])
def test_any_other_key_is_invalid(world: World, key: str) -> None:
    admit = world.admission(GOLD, subscriptions=(MOBILE,))
    request = exchange(("X-Api-Key", key))
    assert refused(admit(request)) == "API_KEY_INVALID"
    assert (request.plan, request.subscription) == ("", None)


def test_no_key_is_told_apart_from_a_bad_one(world: World) -> None:
    admit = world.admission(GOLD, subscriptions=(MOBILE,))
    assert refused(admit(exchange())) == "API_KEY_MISSING"


def test_a_plan_without_subscriptions_lets_nobody_in(world: World) -> None:
    assert refused(world.admission(GOLD)(exchange(("X-Api-Key", KEY)))) == "API_KEY_INVALID"


def test_a_key_opens_only_the_plan_of_its_subscription(world: World) -> None:
    admit = world.admission(GOLD, subscriptions=(key_subscription("mobile", KEY, plan="silver"),))
    assert refused(admit(exchange(("X-Api-Key", KEY)))) == "API_KEY_INVALID"


def test_the_digest_of_a_key_is_no_key(world: World) -> None:
    admit = world.admission(GOLD, subscriptions=(MOBILE,))
    assert refused(admit(exchange(("X-Api-Key", MOBILE.key_digests[0])))) == "API_KEY_INVALID"


def test_a_key_sent_twice_is_refused(world: World) -> None:
    admit = world.admission(QUERY, subscriptions=(MOBILE,))
    twice = exchange(("X-Api-Key", KEY), ("X-Api-Key", KEY))
    assert refused(admit(twice)) == "API_KEY_INVALID"
    assert refused(admit(exchange(query=f"api-key={KEY}&api-key={KEY}"))) == "API_KEY_INVALID"
    assert refused(admit(exchange(("X-Api-Key", KEY), query=f"api-key={KEY}"))) == "API_KEY_INVALID"


def test_the_backend_does_not_get_the_key(world: World) -> None:
    admit = world.admission(QUERY, subscriptions=(MOBILE,))
    by_header = exchange(("Accept", "a/b"), ("X-Api-Key", KEY), query="a=1")
    assert admit(by_header) is None
    assert by_header.request.headers.items() == [("accept", "a/b")]
    by_query = exchange(query=f"a=1&api%2Dkey={KEY}&b=%20")
    assert admit(by_query) is None
    assert by_query.request.query == "a=1&b=%20"


def test_the_backend_gets_the_key_where_the_plan_says_so(world: World) -> None:
    plan = Plan(name="gold", security=ApiKeySecurity(query="k", propagate=True))
    admit = world.admission(plan, subscriptions=(MOBILE,))
    by_header, by_query = exchange(("X-Api-Key", KEY)), exchange(query=f"k={KEY}")
    assert admit(by_header) is None
    assert by_header.request.headers.get("x-api-key") == KEY
    assert admit(by_query) is None
    assert by_query.request.query == f"k={KEY}"


def test_a_key_in_the_query_counts_only_where_the_plan_says_so(world: World) -> None:
    admit = world.admission(GOLD, subscriptions=(MOBILE,))
    assert refused(admit(exchange(query=f"api-key={KEY}"))) == "API_KEY_MISSING"


@pytest.mark.parametrize(
    ("state", "key"), [("Paused", "SUBSCRIPTION_PAUSED"), ("Closed", "SUBSCRIPTION_CLOSED")]
)
def test_a_subscription_that_is_not_active_lets_nobody_in(world: World, state: str, key: str) -> None:
    admit = world.admission(GOLD, subscriptions=(key_subscription("mobile", KEY, state=state),))
    request = exchange(("X-Api-Key", KEY))
    assert refused(admit(request)) == key
    assert request.plan == ""


def test_a_subscription_starts_and_ends_by_the_clock_alone(world: World) -> None:
    limited = key_subscription("mobile", KEY, starts_at=NOW + 10, ends_at=NOW + 20)
    admit = world.admission(GOLD, subscriptions=(limited,))
    assert refused(admit(exchange(("X-Api-Key", KEY)))) == "SUBSCRIPTION_NOT_STARTED"
    world.time = NOW + 10
    assert admit(exchange(("X-Api-Key", KEY))) is None
    world.time = NOW + 20
    assert refused(admit(exchange(("X-Api-Key", KEY)))) == "SUBSCRIPTION_EXPIRED"


def test_an_unknown_state_is_an_error_of_the_api_not_an_open_door(world: World) -> None:
    with pytest.raises(KeyError):
        world.admission(GOLD, subscriptions=(key_subscription("mobile", KEY, state="Pending"),))


PEPPER = b"\x00\xffpepper" * 4


def test_with_a_pepper_a_key_opens_by_its_keyed_digest(world: World) -> None:
    world.key_pepper = PEPPER
    peppered = msgspec.structs.replace(MOBILE, key_digests=(key_digest(MOBILE.key_digests[0], PEPPER),))
    admit = world.admission(GOLD, subscriptions=(peppered,))
    assert admit(exchange(("X-Api-Key", KEY))) is None
    assert refused(admit(exchange(("X-Api-Key", KEY + "x")))) == "API_KEY_INVALID"


def test_with_a_pepper_a_plain_digest_opens_nothing(world: World) -> None:
    world.key_pepper = PEPPER
    admit = world.admission(GOLD, subscriptions=(MOBILE,))
    assert refused(admit(exchange(("X-Api-Key", KEY)))) == "API_KEY_INVALID"
