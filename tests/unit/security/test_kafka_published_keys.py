"""From an API key in a manifest to a Kafka client that is let in by it: operator and gateway."""

from __future__ import annotations

import pytest
from kafka_world import SCRAM, plain, scram
from security_world import World

from gateway_runtime.security.kafka import Admitted, KafkaAdmission
from penstock_operator.graph.build import build_graph
from penstock_operator.manifests.reader import Manifest, read_text
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.resources.parse import Parsed, parse

KEYS = ("first-key-of-mobile", "second-key-of-mobile")
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
stringData: {{key: {KEYS[0]}}}
"""


def published(world: World) -> KafkaAdmission:
    found = [parse(one) for one in read_text(SHOP, "shop.yaml") if isinstance(one, Manifest)]
    graph = build_graph([one for one in found if isinstance(one, Parsed)])
    peppers = {"shop/edge": world.key_pepper} if world.key_pepper else None
    snapshot = build_snapshots(graph, peppers=peppers)["shop/edge"]
    section = snapshot.apis["shop/orders"].section
    return KafkaAdmission(section, snapshot.subscriptions["shop/orders"].section, world)


@pytest.mark.parametrize("pepper", [b"", b"p" * 32])
async def test_a_published_key_lets_in_by_each_mechanism(world: World, pepper: bytes) -> None:
    world.key_pepper = pepper
    subject = published(world)
    outcomes = [await plain(subject, "mobile", KEYS[0])]
    outcomes += [await scram(subject, mechanism, "mobile", KEYS[0]) for mechanism in SCRAM]
    assert all(isinstance(outcome, Admitted) for outcome in outcomes), outcomes


@pytest.mark.parametrize("mechanism", SCRAM)
async def test_another_key_than_the_published_one_is_refused(world: World, mechanism: str) -> None:
    world.key_pepper = b"p" * 32
    subject = published(world)
    assert isinstance(await scram(subject, mechanism, "mobile", KEYS[0]), Admitted)
    assert await scram(subject, mechanism, "mobile", KEYS[1]) == "API_KEY_INVALID"
