"""A client that misbehaves costs itself alone, and the gateway no memory to speak of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from driver_confluent import Confluent
from kafka_gateway import KafkaGateway, Setup, upstream
from kafka_scenarios import numbered
from raw_client import ClosedError, RawClient, produce_request, raw_client

from e2e.components.kafka import Kafka
from gateway_runtime.protocols.kafka.messages import Message

Start = Callable[..., KafkaGateway]
KEY = "a-key-that-nobody-guesses-0123456789"
MEGABYTE = 2**20
FETCHES = 300
"""Of a megabyte each: far more than the buffers of all sockets on the way hold."""


def test_client_that_reads_nothing_costs_little_memory(kafka: Kafka, start_gateway: Start, name: str) -> None:
    setup = replace(Setup(upstream(kafka)), settings={"limits": {"inFlight": 1000}})
    gateway = start_gateway(setup)
    client = Confluent(gateway.access)
    client.create_topic(name)
    leader = client.leaders(name)[0]
    with raw_client(leader) as slow:
        _fill(slow, name)
        before = _memory(gateway)
        for _ in range(FETCHES):
            slow.send("Fetch", 11, _fetch(name))
        assert client.produce(name, numbered(10))
        assert _memory(gateway) - before < 40
        assert [slow.order() for _ in range(FETCHES)] == list(range(4, 4 + FETCHES))


def test_requests_beyond_those_in_flight_wait_and_are_answered(
    kafka: Kafka, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(replace(Setup(upstream(kafka)), settings={"limits": {"inFlight": 2}}))
    with raw_client(gateway.access.bootstrap) as client:
        for _ in range(500):
            client.send("Metadata", 9, {"Topics": []})
        assert [client.order() for _ in range(500)] == list(range(1, 501))


def test_frame_beyond_the_limit_ends_its_connection_alone(
    kafka: Kafka, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(replace(Setup(upstream(kafka)), settings={"limits": {"frame": 100_000}}))
    client = Confluent(gateway.access)
    client.create_topic(name)
    leader = client.leaders(name)[0]
    with raw_client(leader) as large, raw_client(leader) as other:
        other.ask("ApiVersions", 0, {})
        with pytest.raises((ClosedError, ConnectionError)):
            large.ask("Produce", 9, produce_request(name, bytes(200_000), acks=1))
        assert other.ask("Metadata", 9, {"Topics": [{"Name": name}]})["Topics"][0]["ErrorCode"] == 0


def test_connections_beyond_the_limit_of_a_subscription_are_refused(
    kafka: Kafka, start_gateway: Start
) -> None:
    gateway = start_gateway(replace(Setup(upstream(kafka)), settings={"limits": {"connections": 3}}))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(raw_client(gateway.access.bootstrap)) for _ in range(4)]
        for client in clients[:3]:
            client.ask("Metadata", 9, {"Topics": []})
        with pytest.raises((ClosedError, ConnectionError)):
            clients[3].ask("Metadata", 9, {"Topics": []})
        clients[0].ask("Metadata", 9, {"Topics": []})


def test_subscription_that_is_taken_back_ends_its_connections(kafka: Kafka, start_gateway: Start) -> None:
    setup = Setup(upstream(kafka)).open_to("mobile", KEY)
    gateway = start_gateway(setup.open_to("web", f"{KEY}-of-web"))
    with raw_client(gateway.access.bootstrap) as mobile, raw_client(gateway.access.bootstrap) as web:
        _log_in(mobile, "mobile", KEY)
        _log_in(web, "web", f"{KEY}-of-web")
        web.connection.settimeout(20)
        gateway.apply(setup)
        with pytest.raises(ClosedError):
            web.frame()
        mobile.ask("Metadata", 9, {"Topics": []})


def test_client_that_goes_on_without_logging_in_is_cut_off(kafka: Kafka, start_gateway: Start) -> None:
    gateway = start_gateway(Setup(upstream(kafka)).open_to("mobile", KEY))
    with raw_client(gateway.access.bootstrap) as client:
        client.ask("SaslHandshake", 1, {"Mechanism": "PLAIN"})
        answer = client.ask("SaslAuthenticate", 2, {"AuthBytes": b"\0mobile\0wrong"})
        assert answer["ErrorCode"] == 58
        with pytest.raises((ClosedError, ConnectionError)):
            client.ask("Metadata", 9, {"Topics": []})


def _log_in(client: RawClient, user: str, password: str) -> None:
    client.ask("SaslHandshake", 1, {"Mechanism": "PLAIN"})
    answer = client.ask("SaslAuthenticate", 2, {"AuthBytes": f"\0{user}\0{password}".encode()})
    assert answer["ErrorCode"] == 0, answer["ErrorMessage"]


def _fill(client: RawClient, topic: str) -> None:
    client.ask("ApiVersions", 0, {})  # the first frame of a connection may not be long
    for _ in range(2):
        request = produce_request(topic, bytes(900_000), acks=1)
        answer = client.ask("Produce", 9, request)
        assert answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"] == 0


def _fetch(topic: str) -> Message:
    partition = {"Partition": 0, "FetchOffset": 0, "PartitionMaxBytes": MEGABYTE, "CurrentLeaderEpoch": -1}
    topics = [{"Topic": topic, "Partitions": [partition]}]
    return {"ReplicaId": -1, "MaxWaitMs": 100, "MinBytes": 1, "MaxBytes": MEGABYTE, "SessionEpoch": -1,
            "Topics": topics}  # fmt: skip


def _memory(gateway: KafkaGateway) -> float:
    """MiB of the worker."""
    (worker,) = gateway.running.workers()
    lines = Path(f"/proc/{worker}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
