"""Kafka clients without SASL: by their certificates, or by nothing where a plan allows that."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka_certificates import Authority, der
from kafka_world import GOLD, KEY, admission, keyed
from security_world import World

from gateway_runtime.protocols.kafka.sasl_server import Failed
from gateway_runtime.security.kafka import Admitted, KafkaAdmission, explain
from gateway_runtime.snapshot.types import KeylessSecurity, MtlsSecurity, Plan, Subscription

AUTHORITY = Authority()
MOBILE = der(AUTHORITY.issue("mobile-app")[0])
WEB = der(AUTHORITY.issue("web-app")[0])
NAMELESS = der(AUTHORITY.issue()[0])
MTLS = Plan(name="mtls", security=MtlsSecurity())
FREE = Plan(name="free", security=KeylessSecurity())


@pytest.fixture
def world() -> World:
    """Now, as certificates are made for it."""
    world = World()
    world.time = time.time()
    return world


def fingerprint(certificate: bytes) -> str:
    return sha256(certificate).hexdigest()


def subscribed(client_id: str, name: str = "mobile", **more: Any) -> Subscription:
    return Subscription(**{"name": name, "plan": "mtls", "application": name, "client_id": client_id, **more})


def mtls(world: World, *subscriptions: Subscription, **more: Any) -> KafkaAdmission:
    plan = Plan(name="mtls", security=MtlsSecurity(**more))
    return admission(world, plan, subscriptions=subscriptions)


def admitted(subject: KafkaAdmission, certificate: bytes | None = MOBILE) -> Admitted:
    found = subject.without_sasl(certificate)
    assert isinstance(found, Admitted)
    return found


def refused(subject: KafkaAdmission, certificate: bytes | None = MOBILE) -> str:
    found = subject.without_sasl(certificate)
    assert isinstance(found, Failed)
    assert explain(found.reason).endswith(".")
    return found.reason


def test_plans_without_sasl_offer_no_mechanism(world: World) -> None:
    assert admission(world, MTLS, FREE).mechanisms == ()
    with pytest.raises(KeyError):
        admission(world, MTLS, FREE).starts("PLAIN")


@pytest.mark.parametrize("client_id", ["mobile-app", fingerprint(MOBILE)], ids=["name", "hash"])
def test_a_certificate_lets_in_by_its_name_or_its_hash(world: World, client_id: str) -> None:
    found = admitted(mtls(world, subscribed(client_id)))
    assert found.subscription is not None
    assert (found.plan, found.subscription.name, found.principal) == ("mtls", "mobile", client_id)


def test_the_hash_of_a_certificate_goes_before_its_name(world: World) -> None:
    by_name, by_hash = subscribed("mobile-app", "name"), subscribed(fingerprint(MOBILE), "hash")
    found = admitted(mtls(world, by_name, by_hash))
    assert found.subscription is not None
    assert found.subscription.name == "hash"


def test_a_certificate_named_like_the_hash_of_another_takes_not_its_place(world: World) -> None:
    for name in (fingerprint(MOBILE), fingerprint(MOBILE).upper()):
        thief = der(AUTHORITY.issue(name)[0])
        assert refused(mtls(world, subscribed(name)), thief) == "SUBSCRIPTION_MISSING"


def test_a_certificate_of_nobody_is_refused(world: World) -> None:
    subject = mtls(world, subscribed("mobile-app"), subscribed("", "unnamed"))
    assert refused(subject, WEB) == "SUBSCRIPTION_MISSING"
    assert refused(subject, NAMELESS) == "SUBSCRIPTION_MISSING"


def test_a_connection_without_a_certificate_is_refused(world: World) -> None:
    assert refused(mtls(world, subscribed("mobile-app")), None) == "CERTIFICATE_REQUIRED"
    assert refused(mtls(world, require_subscription=False), None) == "CERTIFICATE_REQUIRED"


def test_a_session_ends_with_the_certificate_or_the_subscription(world: World) -> None:
    end = x509.load_der_x509_certificate(MOBILE).not_valid_after_utc.timestamp()
    assert admitted(mtls(world, subscribed("mobile-app"))).expires_at == end
    sooner = mtls(world, subscribed("mobile-app", ends_at=world.time + 5))
    assert admitted(sooner).expires_at == world.time + 5


def test_a_certificate_that_has_ended_is_refused_though_a_resumed_session_shows_it(world: World) -> None:
    subject = mtls(world, subscribed("mobile-app"))
    world.time = x509.load_der_x509_certificate(MOBILE).not_valid_after_utc.timestamp()
    assert refused(subject) == "CERTIFICATE_INVALID"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"state": "Paused"}, "SUBSCRIPTION_PAUSED"),
        ({"state": "Closed"}, "SUBSCRIPTION_CLOSED"),
        ({"ends_at": 1.0}, "SUBSCRIPTION_EXPIRED"),
        ({"client_id": "another"}, "SUBSCRIPTION_MISSING"),
        ({"plan": "another"}, "SUBSCRIPTION_MISSING"),
    ],
)
def test_a_subscription_that_does_not_hold_lets_nobody_in_and_nobody_stay(
    world: World, state: dict[str, Any], reason: str
) -> None:
    client = admitted(mtls(world, subscribed("mobile-app")))
    after = mtls(world, subscribed(**{"client_id": "mobile-app", **state}))
    assert refused(after) == reason
    assert after.still_holds(client, world.time) == reason


def test_no_subscription_is_needed_where_the_plan_says_so(world: World) -> None:
    subject = mtls(world, require_subscription=False)
    for certificate, principal in ((MOBILE, "mobile-app"), (NAMELESS, fingerprint(NAMELESS))):
        found = admitted(subject, certificate)
        assert (found.subscription, found.principal) == (None, principal)
        assert subject.still_holds(found, world.time) == ""


def test_a_keyless_plan_lets_everybody_in(world: World) -> None:
    subject = admission(world, FREE)
    for certificate in (None, MOBILE):
        found = admitted(subject, certificate)
        assert (found.plan, found.subscription, found.claims) == ("free", None, None)
        assert (found.principal, found.expires_at) == ("ANONYMOUS", None)
        assert subject.still_holds(found, world.time) == ""


def test_a_keyless_plan_lets_nobody_in_by_a_certificate_that_a_plan_refuses(world: World) -> None:
    subject = admission(world, FREE, MTLS, subscriptions=(subscribed("mobile-app", state="Paused"),))
    assert refused(subject) == "SUBSCRIPTION_PAUSED"
    assert admitted(subject, None).plan == "free"


def test_a_client_goes_once_its_keyless_plan_is_gone(world: World) -> None:
    client = admitted(admission(world, FREE))
    assert mtls(world).still_holds(client, world.time) == "GATEWAY_PLAN_UNRESOLVABLE"


@pytest.mark.parametrize("certificate", [None, MOBILE])
def test_without_a_plan_for_it_nobody_is_let_in_without_sasl(world: World, certificate: bytes | None) -> None:
    subject = admission(world, GOLD, subscriptions=(keyed("mobile", KEY, client_id="mobile-app"),))
    assert refused(subject, certificate) == "SASL_REQUIRED"
    assert refused(admission(world), certificate) == "GATEWAY_PLAN_UNRESOLVABLE"


def test_a_selection_rule_decides_for_whom_a_plan_is(world: World) -> None:
    closed = Plan(name="free", security=KeylessSecurity(), selection_rule="{#api.name == 'other'}")
    opened = Plan(name="open", security=KeylessSecurity(), selection_rule="{#api.name == 'orders'}")
    assert refused(admission(world, closed)) == "GATEWAY_PLAN_UNRESOLVABLE"
    assert admitted(admission(world, closed, opened)).plan == "open"


def test_the_first_plan_whose_certificates_include_it_lets_in(world: World) -> None:
    other = Plan(name="other", security=MtlsSecurity())
    subject = admission(world, other, MTLS, subscriptions=(subscribed("mobile-app"),))
    assert admitted(subject).plan == "mtls"


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), st.integers(0, len(MOBILE)).map(lambda cut: MOBILE[:cut])))
def test_no_certificate_makes_admission_raise(certificate: bytes) -> None:
    subject = mtls(World(), subscribed("mobile-app"))
    assert isinstance(subject.without_sasl(certificate), Admitted | Failed)


def test_reasons_of_the_exchanges_themselves_are_explained() -> None:
    for reason in (
        "SASL_MALFORMED",
        "SASL_OTHER_CLIENT",
        "SASL_SESSION_EXPIRED",
        "SASL_AUTHORIZATION_REFUSED",
    ):
        assert explain(reason).endswith(".")
