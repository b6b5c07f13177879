"""What the gateway answers single requests: versions, unknown keys, addresses, order, and who is let in."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest
from driver_confluent import Confluent
from kafka_access import Access
from kafka_gateway import KafkaGateway, Setup, upstream
from kafka_scenarios import numbered
from raw_client import API_KEYS, ClosedError, RawClient, produce_request, raw_client

from e2e.components.kafka import Kafka
from gateway_runtime.protocols.kafka.messages import KEYS, Message

Start = Callable[..., KafkaGateway]
UNSUPPORTED_VERSION = 35
NOT_LEADER = 6
KEY = "a-key-that-nobody-guesses-0123456789"
MINE = {"SaslHandshake", "SaslAuthenticate", "GetTelemetrySubscriptions", "PushTelemetry"}
"""What the gateway answers itself, whatever the cluster knows of it."""


@pytest.fixture
def gateway(kafka: Kafka, start_gateway: Start) -> KafkaGateway:
    """A gateway for everybody."""
    return start_gateway(Setup(upstream(kafka)))


@pytest.fixture
def client(gateway: KafkaGateway) -> Iterator[RawClient]:
    """A connection to its bootstrap address."""
    with raw_client(gateway.access.bootstrap) as made:
        yield made


@pytest.fixture
def topic(kafka: Kafka, name: str) -> str:
    """A topic of one partition, made at the cluster."""
    Confluent(Access(kafka.bootstrap())).create_topic(name)
    return name


def test_offered_versions_are_those_of_both_sides(kafka: Kafka, client: RawClient) -> None:
    itself = {"ClientSoftwareName": "raw", "ClientSoftwareVersion": "1"}
    offered = _versions(client.ask("ApiVersions", 3, itself))
    with raw_client(kafka.bootstrap().split(",")[0]) as direct:
        there = _versions(direct.ask("ApiVersions", 0, {}))
    assert {"Produce", "Fetch", "Metadata", "ShareFetch", "ConsumerGroupHeartbeat"} <= set(offered)
    for name, (low, high) in offered.items():
        known = KEYS[API_KEYS[name]]
        assert known.lowest <= low or name == "Produce"
        assert high <= known.highest
        if name not in MINE:
            assert there[name][0] <= low <= high <= there[name][1]


def test_future_version_of_api_versions_is_refused_in_version_0(client: RawClient) -> None:
    client.correlation = 7
    client.raw(struct.pack(">hhih", 18, 99, 7, -1) + b"\0")
    answer = client.take("ApiVersions", 0)
    assert answer["ErrorCode"] == UNSUPPORTED_VERSION
    assert {"ApiKey": 18, "MinVersion": 0, "MaxVersion": KEYS[18].highest} in answer["ApiKeys"]


@pytest.mark.parametrize(("key", "version"), [(1000, 0), (3, 99), (-1, 0), (52, 0)])
def test_unknown_request_ends_the_connection(client: RawClient, key: int, version: int) -> None:
    client.raw(struct.pack(">hhih", key, version, 1, -1))
    with pytest.raises(ClosedError):
        client.frame()


@pytest.mark.parametrize("length", [-1, 2**31 - 1])
def test_frame_of_impossible_length_ends_the_connection(client: RawClient, length: int) -> None:
    client.connection.sendall(struct.pack(">i", length))
    with pytest.raises(ClosedError):
        client.frame()


def test_nothing_passes_before_a_client_has_logged_in(kafka: Kafka, start_gateway: Start, topic: str) -> None:
    gateway = start_gateway(Setup(upstream(kafka)).open_to("mobile", KEY))
    with raw_client(gateway.access.bootstrap) as client:
        assert "SaslHandshake" in _versions(client.ask("ApiVersions", 0, {}))
        client.send("Metadata", 9, {"Topics": [{"Name": topic}]})
        with pytest.raises(ClosedError):
            client.frame()


def test_responses_come_in_the_order_of_requests(client: RawClient, topic: str) -> None:
    for _ in range(200):
        client.send("Metadata", 9, {"Topics": [{"Name": topic}]})
    order = [client.order() for _ in range(200)]
    assert order == list(range(1, 201))


def test_acks_0_has_no_response(client: RawClient, gateway: KafkaGateway, topic: str) -> None:
    with raw_client(_leader(gateway, topic)) as leader:
        for value in numbered(50):
            leader.send("Produce", 9, produce_request(topic, value.encode(), acks=0))
        assert leader.ask("Metadata", 9, {"Topics": [{"Name": topic}]})["Topics"][0]["ErrorCode"] == 0
    assert Confluent(gateway.access).consume(topic, 50) == numbered(50)


@pytest.mark.parametrize("version", range(13))
def test_metadata_has_the_gateways_addresses(gateway: KafkaGateway, client: RawClient, version: int) -> None:
    answer = client.ask("Metadata", version, {"Topics": []})
    assert {f"{one['Host']}:{one['Port']}" for one in answer["Brokers"]} == gateway.nodes


@pytest.mark.parametrize("version", range(3))
def test_cluster_is_described_by_the_gateways_addresses(
    gateway: KafkaGateway, client: RawClient, version: int
) -> None:
    answer = client.ask("DescribeCluster", version, {"EndpointType": 1})
    assert {f"{one['Host']}:{one['Port']}" for one in answer["Brokers"]} == gateway.nodes


@pytest.mark.parametrize("version", range(7))
def test_coordinators_have_the_gateways_addresses(
    gateway: KafkaGateway, client: RawClient, version: int, name: str
) -> None:
    asked = {"Key": name} if version < 4 else {"CoordinatorKeys": [name]}
    Confluent(gateway.access).groups()  # makes the cluster's topic of offsets
    while True:
        answer = client.ask("FindCoordinator", version, asked)
        found = answer if version < 4 else answer["Coordinators"][0]
        if found["ErrorCode"] == 0:
            break
    assert f"{found['Host']}:{found['Port']}" in gateway.nodes


def test_new_leaders_are_told_by_the_gateways_addresses(gateway: KafkaGateway, topic: str) -> None:
    leader = _leader(gateway, topic)
    for other in gateway.nodes - {leader}:
        with raw_client(other) as wrong:
            answer = wrong.ask("Produce", 10, produce_request(topic, b"x", acks=1))
        assert answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"] == NOT_LEADER
        assert [f"{one['Host']}:{one['Port']}" for one in answer["NodeEndpoints"]] == [leader]


def _versions(answer: Message) -> dict[str, tuple[int, int]]:
    assert answer["ErrorCode"] == 0
    names = {number: name for name, number in API_KEYS.items()}
    return {
        names[one["ApiKey"]]: (one["MinVersion"], one["MaxVersion"])
        for one in answer["ApiKeys"]
        if one["ApiKey"] in names
    }


def _leader(gateway: KafkaGateway, topic: str) -> str:
    return Confluent(gateway.access).leaders(topic)[0]
