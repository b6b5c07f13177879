"""Several plans on one API: which one decides, and which refusal the client gets."""

from __future__ import annotations

import jwt
import pytest
from security_world import NOW, World, exchange, key_subscription, refused

from gateway_runtime.exchange import Reply
from gateway_runtime.snapshot.types import ApiKeySecurity, JwtSecurity, KeylessSecurity, Plan, SecretRef

KEY = "key-of-mobile-0001"
OTHER = "key-of-web-00000001"
SECRET = "s" * 32
GOLD = Plan(name="gold", security=ApiKeySecurity())
SILVER = Plan(name="silver", security=ApiKeySecurity())
OPEN = Plan(name="open", security=KeylessSecurity())
TOKEN = Plan(
    name="token",
    security=JwtSecurity(algorithms=("HS256",), secret=SecretRef(uri="hs"), require_subscription=False),
)
HIDDEN = Plan(
    name="hidden",
    security=JwtSecurity(
        algorithms=("HS256",), secret=SecretRef(uri="hs"), require_subscription=False, propagate=False
    ),
)
MOBILE = key_subscription("mobile", KEY)
WEB = key_subscription("web", OTHER, plan="silver")


@pytest.fixture
def world() -> World:
    return World({"hs": SECRET})


def bearer(secret: str = SECRET) -> tuple[str, str]:
    return ("Authorization", "Bearer " + jwt.encode({"exp": int(NOW) + 60}, secret))


def test_a_single_keyless_plan_lets_everybody_in(world: World) -> None:
    request = exchange(("X-Api-Key", "whatever"))
    assert world.admission(OPEN)(request) is None
    assert request.plan == "open"


def test_an_api_without_plans_lets_nobody_in(world: World) -> None:
    assert refused(world.admission()(exchange())) == "GATEWAY_PLAN_UNRESOLVABLE"


def test_the_first_plan_whose_credential_is_good_decides(world: World) -> None:
    admit = world.admission(GOLD, SILVER, subscriptions=(MOBILE, WEB))
    request = exchange(("X-Api-Key", OTHER))
    assert admit(request) is None
    assert request.plan == "silver"


def test_a_keyless_plan_takes_requests_without_any_credential(world: World) -> None:
    admit = world.admission(OPEN, GOLD, subscriptions=(MOBILE,))
    without, with_key = exchange(), exchange(("X-Api-Key", KEY))
    assert admit(without) is None
    assert without.plan == "open"
    assert admit(with_key) is None
    assert with_key.plan == "gold"


@pytest.mark.parametrize("field", [("X-Api-Key", "bad-key-0000001"), ("Authorization", "Bearer bad")])
def test_a_bad_credential_does_not_fall_back_to_the_keyless_plan(
    world: World, field: tuple[str, str]
) -> None:
    admit = world.admission(OPEN, GOLD, TOKEN, subscriptions=(MOBILE,))
    request = exchange(field)
    assert refused(admit(request)) in ("API_KEY_INVALID", "JWT_INVALID_TOKEN")
    assert request.plan == ""


@pytest.mark.parametrize("scheme", ["Bearer", "bearer ", "BEARER\t", "Bearer  "])
def test_a_bearer_field_without_a_token_is_no_way_into_the_keyless_plan(world: World, scheme: str) -> None:
    assert refused(world.admission(TOKEN, OPEN)(exchange(("Authorization", scheme)))) == "JWT_INVALID_TOKEN"


def test_a_second_authorization_field_hides_no_token(world: World) -> None:
    admit = world.admission(TOKEN, OPEN)
    assert refused(admit(exchange(("Authorization", "Basic x"), bearer()))) == "JWT_INVALID_TOKEN"


def test_another_scheme_is_no_bearer_token(world: World) -> None:
    request = exchange(("Authorization", "Basic dTpw"))
    assert world.admission(TOKEN, OPEN)(request) is None
    assert request.plan == "open"


def test_a_plan_is_tried_only_where_its_rule_is_true(world: World) -> None:
    ruled = Plan(
        name="open", security=KeylessSecurity(), selection_rule="{#request.headers['x-in'] == 'yes'}"
    )
    admit = world.admission(ruled)
    assert admit(exchange(("x-in", "yes"))) is None
    assert refused(admit(exchange(("x-in", "no")))) == "GATEWAY_PLAN_UNRESOLVABLE"


def test_a_rule_that_is_false_keeps_a_good_key_out(world: World) -> None:
    ruled = Plan(name="gold", security=ApiKeySecurity(), selection_rule="{#request.method == 'POST'}")
    admit = world.admission(ruled, OPEN, subscriptions=(MOBILE,))
    assert refused(admit(exchange(("X-Api-Key", KEY)))) == "GATEWAY_PLAN_UNRESOLVABLE"


def test_without_a_credential_the_key_is_missed_first_and_bearer_offered(world: World) -> None:
    reply = world.admission(TOKEN, GOLD)(exchange())
    assert isinstance(reply, Reply)
    assert (reply.status, reply.key) == (401, "API_KEY_MISSING")
    assert reply.headers == [("www-authenticate", "Bearer")]


def test_without_a_token_the_client_is_told_of_bearer(world: World) -> None:
    reply = world.admission(TOKEN)(exchange())
    assert isinstance(reply, Reply)
    assert (reply.key, reply.headers) == ("JWT_MISSING_TOKEN", [("www-authenticate", "Bearer")])


def test_the_trouble_of_a_subscription_outweighs_an_invalid_key(world: World) -> None:
    ended = key_subscription("mobile", KEY, ends_at=NOW - 1)
    for plans in ((GOLD, SILVER), (SILVER, GOLD)):
        admit = world.admission(*plans, subscriptions=(ended, WEB))
        assert refused(admit(exchange(("X-Api-Key", KEY)))) == "SUBSCRIPTION_EXPIRED"


def test_a_bad_token_beside_a_good_key_is_let_in_by_the_key(world: World) -> None:
    request = exchange(("Authorization", "Bearer x.y.z"), ("X-Api-Key", KEY))
    assert world.admission(TOKEN, GOLD, subscriptions=(MOBILE,))(request) is None
    assert request.plan == "gold"


def test_the_key_of_a_plan_that_did_not_decide_does_not_reach_the_backend(world: World) -> None:
    request = exchange(bearer(), ("X-Api-Key", KEY))
    assert world.admission(TOKEN, GOLD, subscriptions=(MOBILE,))(request) is None
    assert request.plan == "token"
    assert "x-api-key" not in request.request.headers
    assert "authorization" in request.request.headers


def test_a_hidden_token_does_not_reach_the_backend_beside_a_key(world: World) -> None:
    request = exchange(bearer(), ("X-Api-Key", KEY))
    assert world.admission(GOLD, HIDDEN, subscriptions=(MOBILE,))(request) is None
    assert request.plan == "gold"
    assert request.request.headers.items() == []


def test_a_key_that_the_deciding_plan_propagates_is_kept(world: World) -> None:
    passing = Plan(name="gold", security=ApiKeySecurity(propagate=True))
    request = exchange(("X-Api-Key", KEY))
    assert world.admission(passing, SILVER, subscriptions=(MOBILE, WEB))(request) is None
    assert request.request.headers.get("x-api-key") == KEY
