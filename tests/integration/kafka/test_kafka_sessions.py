"""Sessions that end unless a client, or the gateway itself, logs in anew on its connection (KIP-368)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from kafka_gateway import KafkaGateway, Setup, upstream
from raw_client import ClosedError, RawClient, raw_client

from e2e.components.kafka import Kafka
from e2e.components.kafka_configuration import Options
from e2e.components.kafka_tokens import AUDIENCE, ISSUER

Start = Callable[..., KafkaGateway]
LIFETIME = 2.0


@pytest.fixture(scope="module")
def strict_kafka() -> Iterator[Kafka]:
    """A broker that ends sessions soon."""
    milliseconds = str(int(LIFETIME * 1000))
    with Kafka(Options(brokers=1, properties={"connections.max.reauth.ms": milliseconds})) as made:
        yield made


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "OAUTHBEARER"])
def test_gateway_logs_in_anew_before_the_broker_ends_its_session(
    strict_kafka: Kafka, start_gateway: Start, mechanism: str
) -> None:
    gateway = start_gateway(Setup(upstream(strict_kafka, mechanism)))
    with raw_client(gateway.access.bootstrap) as client:
        for _ in _for(3 * LIFETIME):
            client.ask("Metadata", 9, {"Topics": []})


def test_client_must_log_in_anew_before_its_token_ends(kafka: Kafka, start_gateway: Start) -> None:
    gateway = start_gateway(_by_token(kafka))
    with raw_client(gateway.access.bootstrap) as client:
        assert _log_in(client, kafka, LIFETIME) <= LIFETIME
        for _ in _for(3 * LIFETIME):
            assert _log_in(client, kafka, LIFETIME) <= LIFETIME
            client.ask("Metadata", 9, {"Topics": []})


def test_client_whose_token_has_ended_is_cut_off(kafka: Kafka, start_gateway: Start) -> None:
    gateway = start_gateway(_by_token(kafka))
    with raw_client(gateway.access.bootstrap) as client:
        _log_in(client, kafka, LIFETIME)
        with pytest.raises((ClosedError, ConnectionError)):
            for _ in _for(10 * LIFETIME):
                client.ask("Metadata", 9, {"Topics": []})


def _for(seconds: float) -> Iterator[None]:
    """Goes on for so long, a few times a second: what is tested is what comes of time itself."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)


def _by_token(kafka: Kafka) -> Setup:
    jwt = {
        "key": {"jwks": {"url": kafka.provider.jwks_url}},
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "clockSkew": "0s",
        "requireSubscription": False,
    }
    return replace(Setup(upstream(kafka)), plans={"tokens": {"jwt": jwt}})


def _log_in(client: RawClient, kafka: Kafka, seconds: float) -> float:
    """Logs in with a token of so many seconds; those that the session has."""
    token = kafka.provider.token("someone", exp=time.time() + seconds)
    client.ask("SaslHandshake", 1, {"Mechanism": "OAUTHBEARER"})
    message = {"AuthBytes": f"n,,\x01auth=Bearer {token}\x01\x01".encode()}
    answer = client.ask("SaslAuthenticate", 2, message)
    assert answer["ErrorCode"] == 0, answer["ErrorMessage"]
    lifetime: int = answer["SessionLifetimeMs"]
    assert lifetime > 0
    return lifetime / 1000
