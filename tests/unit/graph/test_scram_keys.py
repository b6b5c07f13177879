"""What checks SCRAM proofs is right, made for Kafka APIs alone, and made once for a key."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

from penstock_operator.graph.build import build_graph
from penstock_operator.graph.keys import KEY, PREVIOUS_KEY, PREVIOUS_UNTIL
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.scram import ScramKeys, ScramMemo, derive, scram_keys
from penstock_operator.graph.types import SubscriptionNode
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.parse import Parsed, parse

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CURRENT, PREVIOUS = "must-not-appear-current", "must-not-appear-previous"

# The example of RFC 7677 section 3.
SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
MESSAGE = (
    f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={NONCE}"
).encode()
PROOF = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
SERVER_SIGNATURE = b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def kube(kind: str, name: str, **fields: Any) -> KubeObject:
    version = "v1" if kind == "Secret" else "penstock.dev/v1alpha1"
    metadata = {"name": name, "namespace": "shop", **fields.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def parsed(manifest: KubeObject) -> Parsed:
    found = parse(Manifest("shop.yaml", 0, 1, manifest))
    assert isinstance(found, Parsed), found
    return found


def kafka_api(version: str = "") -> Parsed:
    endpoint = {"name": "a", "kafka": {"bootstrapServers": ["kafka:9092"]}}
    groups = [{"name": "default", "endpoints": [endpoint]}]
    spec = {"type": "Kafka", "version": version, "listeners": [{"kafka": {}}], "endpointGroups": groups}
    return parsed(kube("ApiDefinition", "orders", spec=spec))


def http_api() -> Parsed:
    groups = [{"name": "default", "endpoints": [{"name": "a", "url": "http://a"}]}]
    return parsed(
        kube("ApiDefinition", "orders", spec={"listeners": [{"http": {}}], "endpointGroups": groups})
    )


def shop(api: Parsed, *subscriptions: str, **metadata: Any) -> list[Parsed]:
    """An API with keys that the operator has made and, where metadata says so, rotated."""
    found = [
        api,
        parsed(kube("Plan", "gold", spec={"apiRef": {"name": "orders"}, "security": {"apiKey": {}}})),
    ]
    for name in subscriptions:
        spec = {"planRef": {"name": "gold"}, "application": {"name": "app"}}
        values = {KEY: f"{CURRENT}-{name}", PREVIOUS_KEY: f"{PREVIOUS}-{name}"}
        labels = {"app.kubernetes.io/managed-by": "penstock"}
        found += [
            parsed(kube("Subscription", name, spec=spec)),
            parsed(
                kube("Secret", f"{name}-api-key", stringData=values, metadata={"labels": labels, **metadata})
            ),
        ]
    return found


def nodes(resources: list[Parsed], memo: Memo) -> list[SubscriptionNode]:
    (node,) = build_graph(resources, memo, NOW, services={}).apis.values()
    return [subscription for plan in node.plans for subscription in plan.subscriptions]


def test_a_proof_of_the_rfc_is_checked_and_answered() -> None:
    keys = scram_keys("SCRAM-SHA-256", SALT, b"pencil")
    signature = hmac.digest(keys.stored_key, MESSAGE, "sha256")
    client_key = bytes(one ^ other for one, other in zip(PROOF, signature, strict=True))
    assert hashlib.sha256(client_key).digest() == keys.stored_key
    assert hmac.digest(keys.server_key, MESSAGE, "sha256") == SERVER_SIGNATURE


def test_all_keys_of_a_subscription_have_its_own_salt() -> None:
    salts = {keys.salt for value in (b"one", b"two") for keys in derive("shop/mobile", value)}
    assert salts == {hashlib.sha256(b"scram shop/mobile").digest()[:16]}
    assert derive("shop/web", b"one")[0].salt not in salts


def test_each_mechanism_has_keys_of_its_own_hash() -> None:
    keys = derive("shop/mobile", b"one")
    assert [(one.mechanism, len(one.stored_key)) for one in keys] == [
        ("SCRAM-SHA-256", 32),
        ("SCRAM-SHA-512", 64),
    ]


def test_keys_are_in_no_text_of_them() -> None:
    assert "stored" not in repr(derive("shop/mobile", b"one"))
    assert CURRENT not in repr(nodes(shop(kafka_api(), "mobile"), Memo()))


def test_the_previous_key_of_a_kafka_api_can_still_be_proved() -> None:
    until = {"annotations": {PREVIOUS_UNTIL: "2026-11-24T01:00:00+00:00"}}
    (node,) = nodes(shop(kafka_api(), "mobile", **until), Memo())
    expected = (
        *derive("shop/mobile", f"{CURRENT}-mobile".encode()),
        *derive("shop/mobile", f"{PREVIOUS}-mobile".encode()),
    )
    assert (len(node.key_digests), node.scram) == (2, expected)


def test_a_previous_key_that_has_ended_cannot() -> None:
    until = {"annotations": {PREVIOUS_UNTIL: "2026-11-23T23:00:00+00:00"}}
    (node,) = nodes(shop(kafka_api(), "mobile", **until), Memo())
    assert node.scram == derive("shop/mobile", f"{CURRENT}-mobile".encode())


def test_an_http_api_has_none() -> None:
    (node,) = nodes(shop(http_api(), "mobile"), Memo())
    assert (len(node.key_digests), node.scram) == (1, ())


def test_keys_are_derived_once_while_an_api_changes() -> None:
    memo, first = Memo(), shop(kafka_api(), "mobile", "web")
    before = nodes(first, memo)
    after = nodes([kafka_api("2"), *first[1:]], memo)
    assert [node.subscription.key for node in after] == ["shop/mobile", "shop/web"]
    assert all(is_same(one.scram, other.scram) for one, other in zip(before, after, strict=True))


def test_keys_are_derived_once_while_an_api_is_broken() -> None:
    memo, first = Memo(), shop(kafka_api(), "mobile")
    before = nodes(first, memo)
    assert build_graph(first[1:], memo, NOW, services={}).apis == {}
    assert is_same(nodes(first, memo)[0].scram, before[0].scram)


def test_the_keys_of_a_subscription_that_is_gone_are_forgotten() -> None:
    memo, resources = Memo(), shop(kafka_api(), "mobile", "web")
    nodes(resources, memo)
    nodes(resources[:4], memo)
    assert memo.scram.known.keys() == {"shop/mobile"}


def test_a_key_that_is_replaced_is_forgotten() -> None:
    memo = ScramMemo()
    memo.keys_of("shop/mobile", (b"one", b"two"))
    assert len(memo.keys_of("shop/mobile", (b"two",))) == 2
    assert len(memo.known["shop/mobile"]) == 1


def is_same(one: tuple[ScramKeys, ...], other: tuple[ScramKeys, ...]) -> bool:
    return all(a is b for a, b in zip(one, other, strict=True))
