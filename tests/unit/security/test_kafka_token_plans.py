"""Tokens of Kafka clients: which let in, for how long, and when a client must go."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kafka_world import GOLD, KEY, admission, bearer, keyed
from oauth_server import OAuthServer
from security_server import KeyServer
from security_tokens import SECRET, claims, jwk, pem, private_key, token
from security_world import NOW, World

from gateway_runtime.security.kafka import Admitted, KafkaAdmission, explain
from gateway_runtime.snapshot.types import (
    JwtSecurity,
    KeylessSecurity,
    OAuth2Security,
    Plan,
    SecretRef,
    Subscription,
)


@pytest.fixture
def world() -> World:
    return World({"hs": SECRET})


def jwt_plan(name: str = "token", **more: Any) -> Plan:
    given = {"algorithms": ("RS256",), "public_key": pem(private_key("RS256")), **more}
    return Plan(name=name, security=JwtSecurity(**given))


def oauth_plan(server: OAuthServer, **more: Any) -> Plan:
    given = {"introspection_url": server.url, "client_id": "gateway", "client_secret": "s", **more}
    return Plan(name="token", security=OAuth2Security(**given))


def subscribed(name: str = "mobile", **more: Any) -> Subscription:
    return Subscription(
        **{"name": name, "plan": "token", "application": name, "client_id": "mobile-app", **more}
    )


def jwt_admission(world: World, **state: Any) -> KafkaAdmission:
    return admission(world, jwt_plan(), subscriptions=(subscribed(**state),))


async def admitted(subject: KafkaAdmission, text: str = "") -> Admitted:
    found = await bearer(subject, text or token())
    assert isinstance(found, Admitted)
    return found


@pytest.mark.parametrize("plan", [jwt_plan()])
def test_tokens_are_taken_by_oauthbearer_alone(world: World, plan: Plan) -> None:
    assert admission(world, plan).mechanisms == ("OAUTHBEARER",)


def test_keys_and_tokens_are_taken_side_by_side(world: World) -> None:
    mechanisms = admission(world, jwt_plan(), GOLD).mechanisms
    assert mechanisms == ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


async def test_a_signed_token_lets_in_whom_it_names(world: World) -> None:
    found = await admitted(jwt_admission(world), token(sub="phone-1"))
    assert found.subscription is not None
    assert (found.plan, found.subscription.name, found.principal) == ("token", "mobile", "phone-1")
    assert found.claims == claims(sub="phone-1")
    assert found.expires_at == NOW + 60 + 30, "the skew that its check allows"


async def test_without_a_subject_the_client_id_is_the_principal(world: World) -> None:
    assert (await admitted(jwt_admission(world))).principal == "mobile-app"


@pytest.mark.parametrize(("ends_at", "expected"), [(NOW + 20, NOW + 20), (NOW + 1000, NOW + 90)])
async def test_the_earlier_of_token_and_subscription_ends_a_session(
    world: World, ends_at: float, expected: float
) -> None:
    assert (await admitted(jwt_admission(world, ends_at=ends_at))).expires_at == expected


@pytest.mark.parametrize(
    "bad",
    [
        {"exp": int(NOW) - 31},
        {"nbf": int(NOW) + 31},
        {"key": private_key("RS256", 1)},
        {"algorithm": "HS256"},
    ],
)
async def test_a_bad_token_is_refused(world: World, bad: dict[str, Any]) -> None:
    assert await bearer(jwt_admission(world), token(**bad)) == "JWT_INVALID_TOKEN"


async def test_what_is_no_signed_token_is_refused(world: World) -> None:
    assert await bearer(jwt_admission(world), "opaque") == "JWT_INVALID_TOKEN"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"state": "Paused"}, "SUBSCRIPTION_PAUSED"),
        ({"state": "Closed"}, "SUBSCRIPTION_CLOSED"),
        ({"ends_at": NOW}, "SUBSCRIPTION_EXPIRED"),
        ({"client_id": "web-app"}, "SUBSCRIPTION_MISSING"),
    ],
)
async def test_a_client_without_a_subscription_that_holds_is_refused_and_later_must_go(
    world: World, state: dict[str, Any], reason: str
) -> None:
    client = await admitted(jwt_admission(world))
    after = jwt_admission(world, **state)
    assert await bearer(after, token()) == reason
    assert after.still_holds(client, NOW) == reason


async def test_a_client_goes_with_its_subscription_though_it_has_another_by_now(world: World) -> None:
    client = await admitted(jwt_admission(world))
    assert jwt_admission(world, name="mobile-2").still_holds(client, NOW) == "SUBSCRIPTION_MISSING"


async def test_a_client_goes_when_its_token_ends(world: World) -> None:
    subject = jwt_admission(world)
    client = await admitted(subject)
    assert subject.still_holds(client, NOW + 89) == ""
    assert subject.still_holds(client, NOW + 90) == "SASL_SESSION_EXPIRED"


async def test_no_subscription_is_needed_where_the_plan_says_so(world: World) -> None:
    free = admission(world, jwt_plan(require_subscription=False))
    client = await admitted(free)
    assert client.subscription is None
    assert free.still_holds(client, NOW) == ""
    assert admission(world, jwt_plan()).still_holds(client, NOW) == "SUBSCRIPTION_MISSING"


async def test_a_client_goes_once_its_plan_takes_no_tokens(world: World) -> None:
    client = await admitted(jwt_admission(world))
    after = admission(world, Plan(name="token", security=KeylessSecurity()), subscriptions=(subscribed(),))
    assert after.still_holds(client, NOW) == "GATEWAY_PLAN_UNRESOLVABLE"


@pytest.mark.parametrize("authorization", ["", "mobile-app"])
async def test_a_client_may_ask_to_act_as_itself(world: World, authorization: str) -> None:
    assert isinstance(await bearer(jwt_admission(world), token(), authorization), Admitted)


async def test_a_client_may_not_act_as_another(world: World) -> None:
    assert await bearer(jwt_admission(world), token(), "admin") == "SASL_AUTHORIZATION_REFUSED"


async def test_the_first_of_several_plans_that_takes_a_token_lets_in(world: World) -> None:
    other = jwt_plan("other", public_key=pem(private_key("RS256", 1)))
    subject = admission(world, other, jwt_plan(), subscriptions=(subscribed(),))
    assert (await admitted(subject)).plan == "token"


async def test_of_several_refusals_the_one_that_says_most_is_told(world: World) -> None:
    other = jwt_plan("other", public_key=pem(private_key("RS256", 1)))
    subject = admission(world, jwt_plan(), other, subscriptions=(subscribed(state="Paused"),))
    assert await bearer(subject, token()) == "SUBSCRIPTION_PAUSED"


async def test_a_selection_rule_decides_for_whom_a_plan_is(world: World) -> None:
    plan = Plan(
        name="token",
        security=jwt_plan().security,
        selection_rule="{#jwt.claims['sub'] == 'a'}",
    )
    subject = admission(world, plan, subscriptions=(subscribed(),))
    assert isinstance(await bearer(subject, token(sub="a")), Admitted)
    assert await bearer(subject, token(sub="b")) == "GATEWAY_PLAN_UNRESOLVABLE"


async def test_a_selection_rule_that_fails_lets_nobody_in(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    plan = Plan(name="token", security=jwt_plan().security, selection_rule="{#jwt.claims['level'] > 1}")
    subject = admission(world, plan, subscriptions=(subscribed(),))
    assert isinstance(await bearer(subject, token(level=2)), Admitted)
    assert await bearer(subject, token(level="high")) == "GATEWAY_PLAN_UNRESOLVABLE"
    assert "the selection rule of plan token fails" in caplog.text


async def test_keys_are_fetched_where_they_are_published(world: World) -> None:
    key = private_key("RS256")
    async with KeyServer(jwk(key, kid="one")) as server:
        plan = jwt_plan(public_key=None, jwks_url=server.url)
        subject = admission(world, plan, subscriptions=(subscribed(),))
        assert isinstance(await bearer(subject, token(headers={"kid": "one"})), Admitted)
        assert server.requests == 1


async def test_while_keys_cannot_be_had_nobody_is_let_in(world: World) -> None:
    async with KeyServer() as server:
        server.status = "500 Broken"
        subject = admission(
            world, jwt_plan(public_key=None, jwks_url=server.url), subscriptions=(subscribed(),)
        )
        assert await bearer(subject, token()) == "JWT_KEYS_UNAVAILABLE"


async def test_a_shared_secret_checks_tokens_too(world: World) -> None:
    plan = jwt_plan(algorithms=("HS256",), public_key=None, secret=SecretRef(uri="hs"))
    assert isinstance(
        await bearer(admission(world, plan, subscriptions=(subscribed(),)), token("HS256")), Admitted
    )


async def test_a_token_that_its_issuer_knows_lets_in_whom_it_names(world: World) -> None:
    async with OAuthServer(active=True, client_id="mobile-app", exp=NOW + 60) as server:
        subject = admission(world, oauth_plan(server), subscriptions=(subscribed(),))
        assert subject.mechanisms == ("OAUTHBEARER",)
        found = await admitted(subject, "opaque")
    assert found.subscription is not None
    assert (found.subscription.name, found.principal, found.expires_at) == ("mobile", "mobile-app", NOW + 60)
    assert subject.still_holds(found, NOW + 59) == ""


async def test_a_token_without_an_end_lets_in_until_its_subscription_ends(world: World) -> None:
    async with OAuthServer(active=True, client_id="mobile-app") as server:
        subject = admission(world, oauth_plan(server), subscriptions=(subscribed(ends_at=NOW + 5),))
        assert (await admitted(subject, "opaque")).expires_at == NOW + 5


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"active": False, "client_id": "mobile-app"}, "OAUTH2_INVALID_TOKEN"),
        ({"active": True, "client_id": "web-app"}, "SUBSCRIPTION_MISSING"),
        ({"active": True, "client_id": ["mobile-app"]}, "SUBSCRIPTION_MISSING"),
        ({"active": True}, "SUBSCRIPTION_MISSING"),
        ([], "OAUTH2_SERVER_UNAVAILABLE"),
    ],
)
async def test_a_token_that_its_issuer_does_not_stand_for_is_refused(
    world: World, answer: Any, reason: str
) -> None:
    async with OAuthServer() as server:
        server.document = json.dumps(answer).encode()
        subject = admission(world, oauth_plan(server), subscriptions=(subscribed(),))
        assert await bearer(subject, "opaque") == reason
        assert explain(reason).endswith(".")


async def test_an_api_key_is_no_token(world: World) -> None:
    subject = admission(world, GOLD, jwt_plan(), subscriptions=(keyed("mobile", KEY), subscribed()))
    assert await bearer(subject, KEY) == "JWT_INVALID_TOKEN"
