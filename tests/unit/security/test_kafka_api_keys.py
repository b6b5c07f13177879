"""API keys of Kafka clients: which names and keys let in, what a stranger learns, when a client must go."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any

import pytest
from kafka_world import GOLD, KEY, NEW_KEY, SCRAM, admission, keyed, plain, scram, shown
from security_world import NOW, World

from gateway_runtime.exchange import ApplicationInfo, SubscriptionInfo
from gateway_runtime.security.kafka import Admitted, KafkaAdmission
from gateway_runtime.snapshot.types import ApiKeySecurity, KeylessSecurity, Plan

PEPPER = b"p" * 32
MECHANISMS = ["PLAIN", *SCRAM]


async def login(admission: KafkaAdmission, mechanism: str, name: str, key: str) -> Admitted | str:
    if mechanism == "PLAIN":
        return await plain(admission, name, key)
    return await scram(admission, mechanism, name, key)


async def admitted(admission: KafkaAdmission, name: str = "mobile", key: str = KEY) -> Admitted:
    found = await plain(admission, name, key)
    assert isinstance(found, Admitted)
    return found


def test_api_keys_are_taken_by_plain_and_scram_strongest_last(world: World) -> None:
    assert admission(world, GOLD).mechanisms == ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.mark.parametrize("pepper", [b"", PEPPER])
@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_name_and_its_key_let_in(world: World, mechanism: str, pepper: bytes) -> None:
    world.key_pepper = pepper
    subject = admission(world, GOLD, subscriptions=(keyed("mobile", KEY, pepper=pepper, ends_at=NOW + 60),))
    found = await login(subject, mechanism, "mobile", KEY)
    assert isinstance(found, Admitted)
    assert found.subscription is not None
    assert (found.plan, found.subscription.name, found.principal) == ("gold", "mobile", "mobile")
    assert (found.claims, found.expires_at) == (None, NOW + 60)


@pytest.mark.parametrize("pepper", [b"", PEPPER])
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("key", [KEY, NEW_KEY])
async def test_both_keys_of_a_rotation_let_in(world: World, mechanism: str, key: str, pepper: bytes) -> None:
    world.key_pepper = pepper
    subject = admission(world, GOLD, subscriptions=(keyed("mobile", KEY, NEW_KEY, pepper=pepper),))
    assert isinstance(await login(subject, mechanism, "mobile", key), Admitted)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(
    ("name", "key"),
    [("mobile", NEW_KEY), ("web", KEY), ("nobody", KEY), ("mobile", "short"), ("Mobile", KEY)],
)
async def test_a_name_and_another_key_are_refused(world: World, mechanism: str, name: str, key: str) -> None:
    subscriptions = (keyed("mobile", KEY), keyed("web", "key-of-web-0001"))
    subject = admission(world, GOLD, subscriptions=subscriptions)
    assert await login(subject, mechanism, name, key) == "API_KEY_INVALID"


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_key_under_another_pepper_is_refused(world: World, mechanism: str) -> None:
    world.key_pepper = b"q" * 32
    subject = admission(world, GOLD, subscriptions=(keyed("mobile", KEY, pepper=PEPPER),))
    assert await login(subject, mechanism, "mobile", KEY) == "API_KEY_INVALID"


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_subscriptions_with_the_same_key_are_told_apart_by_name(world: World, mechanism: str) -> None:
    subject = admission(world, GOLD, subscriptions=(keyed("mobile", KEY), keyed("web", KEY)))
    for name in ("mobile", "web"):
        found = await login(subject, mechanism, name, KEY)
        assert isinstance(found, Admitted)
        assert found.principal == name


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"state": "Paused"}, "SUBSCRIPTION_PAUSED"),
        ({"state": "Closed"}, "SUBSCRIPTION_CLOSED"),
        ({"ends_at": NOW}, "SUBSCRIPTION_EXPIRED"),
        ({"starts_at": NOW + 1}, "SUBSCRIPTION_NOT_STARTED"),
    ],
)
async def test_a_subscription_that_does_not_hold_lets_nobody_in(
    world: World, mechanism: str, state: dict[str, Any], reason: str
) -> None:
    subject = admission(world, GOLD, subscriptions=(keyed("mobile", KEY, **state),))
    assert await login(subject, mechanism, "mobile", KEY) == reason
    assert await login(subject, mechanism, "mobile", NEW_KEY) == "API_KEY_INVALID"


async def test_each_of_several_plans_lets_in_its_own(world: World) -> None:
    silver = Plan(name="silver", security=ApiKeySecurity())
    subscriptions = (keyed("mobile", KEY), keyed("web", NEW_KEY, plan="silver"))
    subject = admission(world, GOLD, silver, subscriptions=subscriptions)
    assert [(await admitted(subject, *pair)).plan for pair in (("mobile", KEY), ("web", NEW_KEY))] == [
        "gold",
        "silver",
    ]


async def test_a_subscription_to_a_plan_without_keys_lets_nobody_in_by_one(world: World) -> None:
    free = Plan(name="free", security=KeylessSecurity())
    subject = admission(world, GOLD, free, subscriptions=(keyed("mobile", KEY, plan="free"),))
    assert await plain(subject, "mobile", KEY) == "API_KEY_INVALID"


@pytest.mark.parametrize("mechanism", SCRAM)
@pytest.mark.parametrize("pepper", [b"", PEPPER])
async def test_scram_shows_of_nobody_what_it_would_show_of_somebody(
    world: World, mechanism: str, pepper: bytes
) -> None:
    world.key_pepper = pepper
    one, other = (keyed(name, KEY, pepper=pepper) for name in ("mobile", "web"))
    alone = await shown(admission(world, GOLD, subscriptions=(one,)), mechanism, "web")
    assert alone == await shown(admission(world, GOLD, subscriptions=(one, other)), mechanism, "web")
    assert alone != await shown(admission(world, GOLD, subscriptions=(one,)), mechanism, "tablet")


async def test_no_subscription_at_all_shows_the_same_too(world: World) -> None:
    subject = admission(world, GOLD)
    assert await scram(subject, "SCRAM-SHA-512", "web", KEY) == "API_KEY_INVALID"
    somebody = admission(world, GOLD, subscriptions=(keyed("web", KEY),))
    assert await shown(subject, "SCRAM-SHA-512", "web") == await shown(somebody, "SCRAM-SHA-512", "web")


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_secrets_are_compared_in_constant_time(
    world: World, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def watched(one: Any, other: Any) -> bool:
        compared.append(one)
        return bool(compare(one, other))

    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", watched)
    subject = admission(world, GOLD, subscriptions=(keyed("mobile", KEY, NEW_KEY),))
    await login(subject, mechanism, "mobile", KEY)
    assert len([value for value in compared if len(value) in (32, 64)]) == 2, (
        "each key, though the first fits"
    )


async def test_a_selection_rule_decides_for_whom_a_plan_is(world: World) -> None:
    rule = "{#context.subscription.application.name == 'mobile'}"
    subject = admission(
        world,
        Plan(name="gold", security=ApiKeySecurity(), selection_rule=rule),
        subscriptions=(keyed("mobile", KEY), keyed("web", NEW_KEY)),
    )
    assert isinstance(await plain(subject, "mobile", KEY), Admitted)
    assert await plain(subject, "web", NEW_KEY) == "GATEWAY_PLAN_UNRESOLVABLE"


async def test_a_client_stays_while_its_subscription_and_its_key_hold(world: World) -> None:
    client = await admitted(admission(world, GOLD, subscriptions=(keyed("mobile", KEY),)))
    assert client.expires_at is None
    later = admission(world, GOLD, subscriptions=(keyed("web", NEW_KEY), keyed("mobile", KEY, NEW_KEY)))
    assert later.still_holds(client, NOW) == ""


@pytest.mark.parametrize(
    ("subscription", "reason"),
    [
        (keyed("mobile", KEY, state="Paused"), "SUBSCRIPTION_PAUSED"),
        (keyed("mobile", KEY, state="Closed"), "SUBSCRIPTION_CLOSED"),
        (keyed("mobile", KEY, ends_at=NOW), "SUBSCRIPTION_EXPIRED"),
        (keyed("mobile", NEW_KEY), "API_KEY_INVALID"),
        (keyed("mobile", KEY, plan="silver"), "SUBSCRIPTION_MISSING"),
        (keyed("web", KEY), "SUBSCRIPTION_MISSING"),
    ],
)
async def test_a_client_goes_once_its_subscription_or_its_key_does_not_hold(
    world: World, subscription: Any, reason: str
) -> None:
    silver = Plan(name="silver", security=ApiKeySecurity())
    client = await admitted(admission(world, GOLD, subscriptions=(keyed("mobile", KEY),)))
    assert admission(world, GOLD, silver, subscriptions=(subscription,)).still_holds(client, NOW) == reason


async def test_a_client_goes_at_the_end_that_it_was_told(world: World) -> None:
    subject = admission(world, GOLD, subscriptions=(keyed("mobile", KEY, ends_at=NOW + 60),))
    client = await admitted(subject)
    assert subject.still_holds(client, NOW + 59) == ""
    assert subject.still_holds(client, NOW + 60) == "SUBSCRIPTION_EXPIRED"
    longer = admission(world, GOLD, subscriptions=(keyed("mobile", KEY, ends_at=NOW + 120),))
    assert longer.still_holds(client, NOW + 60) == "SASL_SESSION_EXPIRED"


@pytest.mark.parametrize("plans", [(), (Plan(name="gold", security=KeylessSecurity()),)])
async def test_a_client_goes_once_its_plan_is_gone_or_of_another_kind(
    world: World, plans: tuple[Plan, ...]
) -> None:
    subscriptions = (keyed("mobile", KEY),)
    client = await admitted(admission(world, GOLD, subscriptions=subscriptions))
    after = admission(world, *plans, subscriptions=subscriptions)
    assert after.still_holds(client, NOW) == "GATEWAY_PLAN_UNRESOLVABLE"


async def test_another_principal_or_subscription_is_another_client(world: World) -> None:
    client = await admitted(admission(world, GOLD, subscriptions=(keyed("mobile", KEY),)))
    other = SubscriptionInfo("mobile-2", "gold", ApplicationInfo("mobile", ""))
    assert client.is_same_client(replace(client, expires_at=NOW))
    assert not client.is_same_client(replace(client, principal="web"))
    assert not client.is_same_client(replace(client, subscription=other))


async def test_no_representation_shows_a_key(world: World) -> None:
    client = await admitted(admission(world, GOLD, subscriptions=(keyed("mobile", KEY),)))
    assert client.key_digest.hex() not in repr(client)
    assert repr(client.key_digest) not in repr(client)
