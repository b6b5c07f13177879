"""Connections outlive what their logins are good for, where the logins are renewed in time (KIP-368)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError, Message, Producer
from driver_confluent import Confluent
from kafka_gateway import KafkaGateway, Setup, upstream
from raw_client import ClosedError, RawClient, produce_request, raw_client
from test_kafka_logins import by_token, with_token

from e2e.components.kafka import Kafka
from e2e.components.kafka_configuration import Options

pytestmark = pytest.mark.slow

Start = Callable[..., KafkaGateway]
LIFETIME = 3
"""Seconds for which a login is good at the broker, or a token of a client at the gateway."""
LIFETIMES = 3 * LIFETIME


@pytest.fixture(scope="module")
def strict() -> Iterator[Kafka]:
    """A broker that ends connections whose login is not renewed in time."""
    properties = {"connections.max.reauth.ms": str(LIFETIME * 1000)}
    with Kafka(Options(brokers=1, properties=properties)) as made:
        made.provider.lifetime = LIFETIMES
        yield made


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_gateway_renews_its_login_between_requests(
    strict: Kafka, start_gateway: Start, mechanism: str, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(strict, mechanism)))
    with raw_client(_leader(gateway, name)) as client:
        for number in _during(LIFETIMES):
            assert _written(client, name) == number


def test_gateway_renews_its_login_behind_a_request_in_flight(
    strict: Kafka, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(strict, "SCRAM-SHA-256")))
    with raw_client(_leader(gateway, name)) as client:
        client.ask("ApiVersions", 0, {})
        for _ in _during(LIFETIMES):
            client.send("Fetch", 11, _empty_fetch(name, milliseconds=LIFETIME * 300))
            client.send("Metadata", 9, {"Topics": []})
            assert client.take("Fetch", 11)["ErrorCode"] == 0
            client.take("Metadata", 9)


def test_login_that_cannot_be_renewed_ends_a_connection(
    strict: Kafka, start_gateway: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [(503, "{}")] * 1000
    answers = [(200, _short_lived(strict.provider.token("alice"))), *refused]
    monkeypatch.setattr(strict.provider, "answer", lambda *_: answers.pop(0))
    gateway = start_gateway(Setup(upstream(strict, "OAUTHBEARER")))
    with raw_client(gateway.access.bootstrap) as client:
        client.ask("Metadata", 9, {"Topics": []})
        with pytest.raises(ClosedError):
            client.frame()
    assert gateway.running.metric("penstock_kafka_refused_total", reason="CLUSTER_UNAVAILABLE") == 1
    gateway.running.err.wait("no token from")


def test_token_that_is_renewed_keeps_a_connection(kafka: Kafka, start_gateway: Start) -> None:
    gateway = start_gateway(_by_token_exactly(kafka))
    with raw_client(gateway.access.bootstrap) as client:
        ends = _log_in(client, kafka)
        for _ in _during(LIFETIMES):
            client.ask("Metadata", 9, {"Topics": []})
            if time.time() > ends - LIFETIME / 2:
                ends = _log_in(client, kafka)


def test_token_that_is_not_renewed_ends_a_connection(kafka: Kafka, start_gateway: Start) -> None:
    gateway = start_gateway(_by_token_exactly(kafka))
    with raw_client(gateway.access.bootstrap) as client:
        ends = _log_in(client, kafka)
        with pytest.raises(ClosedError):
            client.frame()
    assert 0 <= time.time() - ends < LIFETIME
    assert gateway.running.metric("penstock_kafka_refused_total", reason="SASL_SESSION_EXPIRED") == 1


def test_client_of_another_subscription_cannot_take_a_connection_over(
    kafka: Kafka, start_gateway: Start
) -> None:
    setup = _by_token_exactly(kafka)
    other = setup.subscriptions["mobile"] | {"application": {"name": "web", "clientId": "web"}}
    setup.subscriptions["web"] = other
    gateway = start_gateway(setup)
    with raw_client(gateway.access.bootstrap) as client:
        _log_in(client, kafka)
        told = _authenticate(client, kafka.provider.token("someone", azp="web"))
        assert told["ErrorCode"] == 58
        with pytest.raises((ClosedError, ConnectionError)):
            client.ask("Metadata", 9, {"Topics": []})


def test_librdkafka_keeps_its_connections_by_new_tokens(
    kafka: Kafka, start_gateway: Start, name: str
) -> None:
    # librdkafka looks once a second whether its token is to be renewed, at four fifths of its life.
    gateway = start_gateway(_by_token_exactly(kafka, skew="2s"))
    Confluent(with_token(gateway, kafka.provider.token("someone", azp="mobile"))).create_topic(name)
    told: list[tuple[KafkaError | None, Message]] = []
    tokens: list[str] = []

    def renew(_: str) -> tuple[str, float]:
        ends = time.time() + LIFETIME
        tokens.append(kafka.provider.token("someone", azp="mobile", exp=ends))
        return tokens[-1], ends

    options = {"bootstrap.servers": gateway.access.bootstrap, "security.protocol": "SASL_PLAINTEXT"}
    options |= {"sasl.mechanisms": "OAUTHBEARER", "oauth_cb": renew, "acks": "all"}
    producer = Producer(options)
    _write(producer, name, told)
    before = gateway.running.metric("penstock_kafka_connections_total")
    for _ in _during(LIFETIMES):
        _write(producer, name, told)
    assert len(tokens) > 2
    assert {error for error, _ in told} == {None}
    assert gateway.running.metric("penstock_kafka_connections_total") == before


def _by_token_exactly(kafka: Kafka, skew: str = "0s") -> Setup:
    """An API that takes tokens until their end, and no longer but for a skew."""
    setup = by_token(kafka)
    setup.plans["tokens"]["jwt"]["clockSkew"] = skew
    return setup


def _short_lived(token: str) -> str:
    """The answer of a token server: the token is to be used for two seconds, less than a login holds."""
    return json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 2})


def _write(producer: Producer, topic: str, told: list[tuple[KafkaError | None, Message]]) -> None:
    producer.produce(topic, b"value", on_delivery=lambda error, at: told.append((error, at)))
    assert producer.flush(20) == 0


def _during(seconds: float) -> Iterator[int]:
    """Numbers for so long, ten a second at the most."""
    started = time.monotonic()
    number = 0
    while time.monotonic() < started + seconds:
        yield number
        number += 1
        time.sleep(max(0.0, started + number / 10 - time.monotonic()))


def _leader(gateway: KafkaGateway, topic: str) -> str:
    client = Confluent(gateway.access)
    client.create_topic(topic)
    return client.leaders(topic)[0]


def _written(client: RawClient, topic: str) -> int:
    """The offset of one record more."""
    (told,) = client.ask("Produce", 9, produce_request(topic, b"value", acks=1))["Responses"]
    assert told["PartitionResponses"][0]["ErrorCode"] == 0
    offset: int = told["PartitionResponses"][0]["BaseOffset"]
    return offset


def _log_in(client: RawClient, kafka: Kafka) -> float:
    """When the token ends by which the client has logged in now."""
    ends = time.time() + LIFETIME
    told = _authenticate(client, kafka.provider.token("someone", azp="mobile", exp=ends))
    assert told["ErrorCode"] == 0, told["ErrorMessage"]
    assert 0 < told["SessionLifetimeMs"] <= LIFETIME * 1000
    return ends


def _authenticate(client: RawClient, token: str) -> dict[str, object]:
    assert client.ask("SaslHandshake", 1, {"Mechanism": "OAUTHBEARER"})["ErrorCode"] == 0
    payload = f"n,,\x01auth=Bearer {token}\x01\x01".encode()
    return client.ask("SaslAuthenticate", 2, {"AuthBytes": payload})


def _empty_fetch(topic: str, milliseconds: int) -> dict[str, object]:
    """A request that the broker answers when that time is over, as there is nothing new."""
    partition = {"Partition": 0, "FetchOffset": 0, "PartitionMaxBytes": 1000, "CurrentLeaderEpoch": -1}
    topics = [{"Topic": topic, "Partitions": [partition]}]
    return {"ReplicaId": -1, "MaxWaitMs": milliseconds, "MinBytes": 1, "MaxBytes": 1000, "SessionEpoch": -1,
            "Topics": topics}  # fmt: skip
