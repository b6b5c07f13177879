"""Clients log in at the gateway by the plans of an API, and the gateway at the cluster as it is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from driver_confluent import Confluent
from driver_kafka_python import KafkaPython
from driver_programs import Franz, Java
from kafka_access import Access, ClientError, Driver
from kafka_gateway import KafkaGateway, Setup, upstream
from kafka_scenarios import reads_what_it_wrote

from e2e.components.kafka import Kafka
from e2e.components.kafka_configuration import MECHANISMS
from e2e.components.kafka_tokens import AUDIENCE, ISSUER

Make = Callable[[Access], Driver]
Start = Callable[..., KafkaGateway]
KEY = "a-key-that-nobody-guesses-0123456789"
BY_KEY = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.mark.parametrize("mechanism", BY_KEY)
def test_client_logs_in_with_an_api_key(
    kafka: Kafka, driver: Make, start_gateway: Start, mechanism: str, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(kafka)).open_to("mobile", KEY))
    reads_what_it_wrote(driver(as_user(gateway, mechanism)), name)


@pytest.mark.parametrize("mechanism", BY_KEY)
def test_wrong_key_is_an_authentication_failure(kafka: Kafka, start_gateway: Start, mechanism: str) -> None:
    gateway = start_gateway(Setup(upstream(kafka)).open_to("mobile", KEY))
    for user, key in (("mobile", "wrong"), ("nobody", KEY)):
        access = replace(as_user(gateway, mechanism), username=user, password=key)
        with pytest.raises(ClientError, match="SASL_AUTHENTICATION_FAILED"):
            Java(access).topics()


def test_client_logs_in_with_a_token(kafka: Kafka, driver: Make, start_gateway: Start, name: str) -> None:
    gateway = start_gateway(by_token(kafka))
    reads_what_it_wrote(driver(with_token(gateway, kafka.provider.token("someone", azp="mobile"))), name)


def test_token_of_nobody_known_is_an_authentication_failure(kafka: Kafka, start_gateway: Start) -> None:
    gateway = start_gateway(by_token(kafka))
    good = kafka.provider.token("someone", azp="mobile")
    for token in (kafka.provider.token("someone", azp="other"), good[:-8] + "AAAAAAAA"):
        with pytest.raises(ClientError, match="SASL_AUTHENTICATION_FAILED"):
            Java(with_token(gateway, token)).topics()


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_gateway_logs_in_at_the_cluster(
    kafka: Kafka, start_gateway: Start, mechanism: str, tls: bool, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(kafka, mechanism, tls=tls)))
    reads_what_it_wrote(Confluent(gateway.access), name)


def test_gateway_shows_the_cluster_a_certificate(kafka: Kafka, start_gateway: Start, name: str) -> None:
    gateway = start_gateway(Setup(upstream(kafka, tls=True)))
    reads_what_it_wrote(KafkaPython(gateway.access), name)


def test_each_side_has_a_mechanism_of_its_own(kafka: Kafka, start_gateway: Start, name: str) -> None:
    gateway = start_gateway(Setup(upstream(kafka, "OAUTHBEARER", tls=True)).open_to("mobile", KEY))
    reads_what_it_wrote(Franz(as_user(gateway, "SCRAM-SHA-512")), name)


def as_user(gateway: KafkaGateway, mechanism: str) -> Access:
    """How the subscription `mobile` gets in."""
    return replace(gateway.access, mechanism=mechanism, username="mobile", password=KEY)


def with_token(gateway: KafkaGateway, token: str) -> Access:
    """How a client with a token gets in."""
    return replace(gateway.access, mechanism="OAUTHBEARER", password=token)


def by_token(kafka: Kafka) -> Setup:
    """An API whose plan takes tokens of the identity provider."""
    jwt = {
        "key": {"jwks": {"url": kafka.provider.jwks_url}},
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
    }
    subscription = {"planRef": {"name": "tokens"}, "application": {"name": "mobile", "clientId": "mobile"}}
    return Setup(upstream(kafka), plans={"tokens": {"jwt": jwt}}, subscriptions={"mobile": subscription})
