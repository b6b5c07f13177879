"""Each client works where topics, groups and transactions are renamed, access limited and use counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from driver_aiokafka import AioKafka
from driver_confluent import Confluent
from driver_kafka_python import KafkaPython
from driver_programs import Franz, Java
from kafka_access import Access, ClientError, Driver
from kafka_gateway import KafkaGateway, Manifest, Setup, upstream
from kafka_scenarios import (
    administers,
    numbered,
    reads_what_it_wrote,
    rebalances,
    share_from_the_start,
    transacts,
)

from e2e.components.kafka import Kafka
from e2e.components.waiting import wait_until

Start = Callable[..., KafkaGateway]
ENDS = ("plain", "shared", "transacted", "administered")
KEY = "a-key-that-nobody-guesses-0123456789"
UPSTREAM = {
    AioKafka: ("PLAIN", False),
    Confluent: ("SCRAM-SHA-256", True),
    KafkaPython: ("SCRAM-SHA-512", False),
    Java: ("OAUTHBEARER", True),
    Franz: ("", True),
}
"""How the gateway logs in where a client is in front of it, and whether by TLS."""


@pytest.mark.parametrize("client", UPSTREAM, ids=lambda one: one.name)
def test_client_works_under_all_policies(
    kafka: Kafka, client: Callable[[Access], Driver], start_gateway: Start, name: str
) -> None:
    mechanism, tls = UPSTREAM[client]  # type: ignore[index]
    endpoint = upstream(kafka, mechanism, tls=tls)
    gateway = start_gateway(replace(Setup(endpoint), flows=(tenant(name),)).open_to("mobile", KEY))
    driver = client(as_mobile(gateway))
    reads_what_it_wrote(driver, "allowed-plain")
    rebalances(driver, "allowed-shared")
    transacts(driver, "allowed-transacted")
    administers(driver, "allowed-administered", gateway.nodes)
    expected = {f"{name}.allowed-{end}" for end in ENDS}
    direct = Confluent(Access(kafka.bootstrap()))
    # Brokers hear of a removed topic one after the other.
    wait_until(
        "the topics that are left", lambda: expected == {one for one in direct.topics() if name in one}
    )
    wait_until("the client to see them", lambda: driver.topics() == {f"allowed-{end}" for end in ENDS})
    with pytest.raises(ClientError, match="TOPIC_AUTHORIZATION_FAILED"):
        driver.create_topic("forbidden")


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_renamed_group_rebalances_by_either_protocol(
    kafka: Kafka, start_gateway: Start, protocol: str, name: str
) -> None:
    gateway = start_gateway(replace(Setup(upstream(kafka)), flows=(tenant(name),)).open_to("mobile", KEY))
    for client in (Confluent, Java):
        rebalances(client(as_mobile(gateway)), f"allowed-{client.name}", protocol)  # type: ignore[arg-type]


def test_renamed_share_group_gets_all_records(kafka: Kafka, start_gateway: Start, name: str) -> None:
    gateway = start_gateway(replace(Setup(upstream(kafka)), flows=(tenant(name),)).open_to("mobile", KEY))
    java = Java(as_mobile(gateway))
    java.create_topic("allowed-shared", partitions=2)
    share_from_the_start(kafka, f"{name}.allowed-group")
    java.produce("allowed-shared", numbered(20))
    with java.share_member("allowed-shared", "allowed-group") as member:
        member.wait("all records", lambda seen: {*seen.values} == {*numbered(20)})


def test_tenants_have_topics_of_the_same_name(kafka: Kafka, start_gateway: Start, name: str) -> None:
    setup = Setup(upstream(kafka)).open_to("mobile", KEY).open_to("web", f"{KEY}-of-web")
    flow = tenant(name)
    mapping = {"prefix": name + ".{#subscription.application.name}."}
    flow["interact"][0] = {"kafkaTopicMapping": mapping}
    gateway = start_gateway(replace(setup, flows=(flow,)))
    mobile = Confluent(as_mobile(gateway))
    web = Confluent(replace(as_mobile(gateway), username="web", password=f"{KEY}-of-web"))
    for number, driver in enumerate((mobile, web)):
        driver.create_topic("allowed-orders")
        driver.produce("allowed-orders", numbered(3, start=100 * number))
    assert mobile.consume("allowed-orders", 3) == numbered(3)
    assert web.consume("allowed-orders", 3) == numbered(3, start=100)
    assert mobile.topics() == web.topics() == {"allowed-orders"}


def tenant(name: str) -> Manifest:
    """Renames by a prefix, lets do all with what is called `allowed-...`, and counts."""
    prefix = {"prefix": f"{name}."}
    rules = [_rule(one, "allowed-") for one in ("topic", "group", "transactionalId")] + [_rule("cluster")]
    # Who may use the transactions coordinator needs no more; topics are made by their own rules.
    rules[-1]["operations"] = ["Describe", "IdempotentWrite"]
    return {
        "name": "tenant",
        "interact": [
            {"kafkaTopicMapping": prefix},
            {"kafkaGroupMapping": prefix},
            {"kafkaTransactionalIdMapping": prefix},
            {"kafkaAcl": {"rules": rules}},
            {"kafkaQuota": {"ingress": 10**9, "egress": 10**9, "requests": 10**6}},
        ],
    }


def as_mobile(gateway: KafkaGateway) -> Access:
    """How the subscription `mobile` gets in."""
    return replace(gateway.access, mechanism="SCRAM-SHA-512", username="mobile", password=KEY)


def _rule(resource: str, prefix: str | None = None) -> Manifest:
    pattern: Manifest = {"pattern": {"type": "Prefix", "name": prefix}} if prefix else {}
    return {"resource": resource, "operations": ["All"], **pattern}
