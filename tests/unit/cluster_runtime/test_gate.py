"""Which APIs are handed to the workers while secrets are missing."""

from __future__ import annotations

import msgspec
from published import Values, section, snapshot

from gateway_runtime.secrets.gate import PATIENCE, READING, Gate, Passed
from gateway_runtime.snapshot.codec import subscriptions_entry
from gateway_runtime.snapshot.kafka import Certificate, KafkaListener, ListenerTls
from gateway_runtime.snapshot.types import (
    ApiKeySecurity,
    GatewaySection,
    Plan,
    SecretRef,
    SubscriptionsSection,
)

ONE, TWO = "kubernetes/shop/one:key", "kubernetes/shop/two:key"
PEPPER = SecretRef(uri="kubernetes/gateways/edge-pepper:pepper")
PEPPERED = GatewaySection(key_pepper=PEPPER)
PEPPER_URI = f"base64:{PEPPER.uri}"
KEYS = (Plan(name="gold", security=ApiKeySecurity()),)


def revealed(passed: Passed) -> dict[str, str]:
    return {uri: value.reveal() for uri, value in passed.secrets.items()}


def versions(passed: Passed) -> dict[str, str]:
    return {key: entry.section.version for key, entry in passed.snapshot.apis.items()}


def test_what_needs_no_secret_passes_as_it_is() -> None:
    published = snapshot(section("a"), section("b"))
    passed = Gate(Values()).pass_through(published, 0.0)
    assert passed.snapshot == published
    assert passed.snapshot.apis["shop/a"] is published.apis["shop/a"]
    assert (passed.secrets, passed.errors, passed.wanted, passed.again_at) == ({}, {}, frozenset(), None)


def test_the_values_in_use_go_along_and_no_other() -> None:
    values = Values({ONE: "value-1", TWO: "value-2"})
    passed = Gate(values).pass_through(snapshot(section("a", "1", ONE)), 0.0)
    assert revealed(passed) == {ONE: "value-1"}
    assert passed.wanted == {ONE}
    assert "value-1" not in repr(passed)


def test_a_new_api_waits_for_its_secret_and_then_goes_without() -> None:
    gate = Gate(Values())
    published = snapshot(section("a", "1", ONE), section("b"))
    early = gate.pass_through(published, 10.0)
    assert versions(early) == {"shop/b": "1"}
    assert early.errors == {"shop/a": f"{ONE} is missing"}
    assert early.again_at == 10.0 + PATIENCE
    late = gate.pass_through(published, 10.0 + PATIENCE)
    assert versions(late) == {"shop/a": "1", "shop/b": "1"}
    assert late.errors == {"shop/a": f"{ONE} is missing"}
    assert late.again_at is None


def test_a_secret_that_was_not_looked_at_yet_is_waited_for_longer() -> None:
    values = Values()
    values.unread = True
    gate = Gate(values)
    published = snapshot(section("a", "1", ONE))
    assert gate.pass_through(published, 10.0).again_at == 10.0 + READING
    assert versions(gate.pass_through(published, 10.0 + PATIENCE)) == {}
    assert versions(gate.pass_through(published, 10.0 + READING)) == {"shop/a": "1"}


def test_an_edit_does_not_begin_the_wait_anew() -> None:
    gate = Gate(Values())
    gate.pass_through(snapshot(section("a", "1", ONE)), 10.0)
    passed = gate.pass_through(snapshot(section("a", "2", ONE)), 10.0 + PATIENCE)
    assert versions(passed) == {"shop/a": "2"}


def test_the_subscriptions_of_an_api_wait_with_it() -> None:
    entry = subscriptions_entry(SubscriptionsSection(api="shop/a"))
    gate = Gate(Values())
    published = snapshot(section("a", "1", ONE), subscriptions={"shop/a": entry})
    assert gate.pass_through(published, 0.0).snapshot.subscriptions == {}
    assert gate.pass_through(published, PATIENCE).snapshot.subscriptions == {"shop/a": entry}


def test_an_api_that_serves_keeps_its_last_good_section_however_long() -> None:
    values = Values({ONE: "1"})
    gate = Gate(values)
    gate.pass_through(snapshot(section("a", "1", ONE)), 0.0)
    for now in (1.0, 1.0 + PATIENCE, 1000.0):
        passed = gate.pass_through(snapshot(section("a", "2", TWO)), now)
        assert versions(passed) == {"shop/a": "1"}
        assert revealed(passed) == {ONE: "1"}
        assert passed.wanted == {ONE, TWO}
        assert passed.errors == {"shop/a": f"{TWO} is missing"}
        assert passed.again_at is None
    values[TWO] = "2"
    passed = gate.pass_through(snapshot(section("a", "2", TWO)), 1001.0)
    assert versions(passed) == {"shop/a": "2"}
    assert (revealed(passed), passed.wanted, passed.errors) == ({TWO: "2"}, {TWO}, {})


def test_a_deleted_api_has_no_last_good_section_when_it_comes_back() -> None:
    gate = Gate(Values({ONE: "1"}))
    gate.pass_through(snapshot(section("a", "1", ONE)), 0.0)
    gate.pass_through(snapshot(), 1.0)
    assert versions(gate.pass_through(snapshot(section("a", "2", TWO)), 2.0)) == {}


def test_the_shortest_refresh_of_all_references_counts() -> None:
    refs = [{"t": SecretRef(uri=ONE, refresh=seconds)} for seconds in (60.0, 20.0, 0.0)]
    apis = [section(f"a{number}", secrets=ref) for number, ref in enumerate(refs)]
    assert Gate(Values()).pass_through(snapshot(*apis), 0.0).refreshes == {ONE: 20.0}


def test_unchanged_values_are_the_same_object() -> None:
    gate = Gate(Values({ONE: "1"}))
    first = gate.pass_through(snapshot(section("a", "1", ONE)), 0.0)
    second = gate.pass_through(snapshot(section("a", "2", ONE)), 0.0)
    assert second.secrets is first.secrets


def test_apis_with_keys_wait_for_the_pepper() -> None:
    gate = Gate(Values())
    published = snapshot(section("open"), section("keys", plans=KEYS), gateway=PEPPERED)
    passed = gate.pass_through(published, 0.0)
    assert versions(passed) == {"shop/open": "1"}
    assert passed.wanted == {PEPPER_URI}
    assert set(passed.errors) == {"", "shop/keys"}


def test_a_new_pepper_that_is_missing_leaves_the_gateway_as_it_was() -> None:
    values = Values({PEPPER_URI: "cGVwcGVy"})
    gate = Gate(values)
    keys = section("keys", plans=KEYS)
    gate.pass_through(snapshot(keys, gateway=PEPPERED), 0.0)
    other = msgspec.structs.replace(PEPPERED, key_pepper=SecretRef(uri="kubernetes/gateways/next:pepper"))
    passed = gate.pass_through(snapshot(keys, gateway=other), 1.0)
    assert passed.snapshot.gateway == PEPPERED
    assert versions(passed) == {"shop/keys": "1"}
    assert passed.wanted == {PEPPER_URI, "base64:kubernetes/gateways/next:pepper"}
    assert set(passed.errors) == {""}


CERTIFICATE = Certificate(
    chain=SecretRef(uri="kubernetes/gateways/tls:crt"), key=SecretRef(uri=ONE, refresh=5.0)
)
SECURED = GatewaySection(
    kafka_listeners=(KafkaListener(name="kafka", port=9092, tls=ListenerTls(certificates=(CERTIFICATE,))),)
)
CHAIN = CERTIFICATE.chain.uri


def test_the_certificates_of_listeners_go_along_and_are_followed() -> None:
    passed = Gate(Values({CHAIN: "chain", ONE: "key"})).pass_through(snapshot(gateway=SECURED), 0.0)
    assert revealed(passed) == {CHAIN: "chain", ONE: "key"}
    assert passed.wanted == {CHAIN, ONE}
    assert passed.refreshes == {ONE: 5.0}
    assert (passed.errors, passed.again_at) == ({}, None)


def test_a_certificate_that_is_missing_holds_up_no_api_and_not_the_gateway() -> None:
    passed = Gate(Values({ONE: "key"})).pass_through(snapshot(section("a"), gateway=SECURED), 10.0)
    assert versions(passed) == {"shop/a": "1"}
    assert passed.snapshot.gateway is SECURED
    assert revealed(passed) == {ONE: "key"}
    assert passed.errors == {"": f"{CHAIN} is missing"}


def test_a_pod_that_starts_waits_a_moment_for_certificates() -> None:
    gate = Gate(Values())
    published = snapshot(gateway=SECURED)
    assert gate.pass_through(published, 10.0).again_at == 10.0 + PATIENCE
    assert gate.pass_through(published, 10.0 + PATIENCE).again_at is None


def test_a_missing_certificate_is_told_of_beside_a_missing_pepper() -> None:
    both = msgspec.structs.replace(SECURED, key_pepper=PEPPER)
    passed = Gate(Values({ONE: "key"})).pass_through(snapshot(gateway=both), 0.0)
    assert passed.errors == {"": f"{PEPPER_URI} is missing; {CHAIN} is missing"}
