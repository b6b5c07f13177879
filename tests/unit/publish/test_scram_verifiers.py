"""SCRAM verifiers of Kafka APIs are published in the order of their keys, masked with the pepper."""

from __future__ import annotations

from base64 import b64decode
from typing import Literal

import pytest

from gateway_runtime.snapshot.kafka import ScramVerifier
from gateway_runtime.snapshot.keys import SCRAM_MECHANISMS, masked, scram_label
from gateway_runtime.snapshot.types import Subscription
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.scram import derive
from penstock_operator.manifests.reader import Manifest, read_text
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.resources.parse import Parsed, parse

KEY = "must-not-appear-key-of-mobile"
PEPPER = b"p" * 32
SHOP = f"""
apiVersion: penstock.dev/v1alpha1
kind: GatewayDeployment
metadata: {{name: edge, namespace: shop}}
spec:
  listeners: [{{name: a, protocol: Kafka, routing: {{type: Port, range: 9100-9120, host: localhost}}}}]
---
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {{name: orders, namespace: shop}}
spec:
  type: Kafka
  listeners: [{{kafka: {{port: 9100}}}}]
  endpointGroups: [{{name: default, endpoints: [{{name: a, kafka: {{bootstrapServers: ["kafka:9092"]}}}}]}}]
---
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {{name: gold, namespace: shop}}
spec: {{apiRef: {{name: orders}}, security: {{apiKey: {{}}}}}}
---
apiVersion: penstock.dev/v1alpha1
kind: Subscription
metadata: {{name: mobile, namespace: shop}}
spec: {{planRef: {{name: gold}}, application: {{name: app}}, apiKey: {{secretRef: {{name: keys, key: key}}}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: keys, namespace: shop}}
stringData: {{key: {KEY}}}
"""


def published(pepper: bytes) -> Subscription:
    found = [parse(one) for one in read_text(SHOP, "shop.yaml") if isinstance(one, Manifest)]
    graph = build_graph([one for one in found if isinstance(one, Parsed)])
    snapshot = build_snapshots(graph, peppers={"shop/edge": pepper} if pepper else None)["shop/edge"]
    (subscription,) = snapshot.subscriptions["shop/orders"].section.subscriptions
    return subscription


def unmasked(verifier: ScramVerifier, part: Literal["stored", "server"], digest: str, pepper: bytes) -> bytes:
    value = verifier.stored_key if part == "stored" else verifier.server_key
    return masked(b64decode(value), pepper, scram_label(verifier.mechanism, part, verifier.salt, digest))


@pytest.mark.parametrize("pepper", [b"", PEPPER])
def test_verifiers_are_those_of_the_key_under_its_pepper(pepper: bytes) -> None:
    subscription = published(pepper)
    (digest,) = subscription.key_digests
    assert tuple(one.mechanism for one in subscription.scram) == SCRAM_MECHANISMS
    for verifier, keys in zip(subscription.scram, derive("shop/mobile", KEY.encode()), strict=True):
        assert (b64decode(verifier.salt), verifier.iterations) == (keys.salt, 4096)
        assert unmasked(verifier, "stored", digest, pepper) == keys.stored_key
        assert unmasked(verifier, "server", digest, pepper) == keys.server_key


def test_who_has_no_pepper_learns_nothing_to_try_keys_against() -> None:
    published_ = published(PEPPER)
    plain = published(b"")
    assert {one.stored_key for one in published_.scram}.isdisjoint(one.stored_key for one in plain.scram)
    assert {one.server_key for one in published_.scram}.isdisjoint(one.server_key for one in plain.scram)
