"""Each client works with the cluster itself, so that what fails through the gateway is the gateway's."""

from collections.abc import Callable

import pytest
from driver_programs import Java
from kafka_access import Access, ClientError, Driver
from kafka_scenarios import administers, reads_what_it_wrote, rebalances, transacts

from e2e.components.kafka import Kafka
from e2e.components.kafka_configuration import MECHANISMS, USERS

pytestmark = pytest.mark.slow


def access_of(kafka: Kafka, mechanism: str, user: str, *, tls: bool) -> Access:
    """How a user gets to the cluster itself."""
    password = kafka.provider.token(user) if mechanism == "OAUTHBEARER" else USERS[user]
    ca = kafka.authority.certificate if tls else None
    protocol = "SASL_SSL" if tls else "SASL_PLAINTEXT"
    return Access(kafka.bootstrap(protocol), mechanism, user, password, ca)


def test_client_reads_what_it_wrote(kafka: Kafka, driver: Callable[[Access], Driver], name: str) -> None:
    reads_what_it_wrote(driver(Access(kafka.bootstrap())), name)


def test_client_shares_partitions_with_another_member(
    kafka: Kafka, driver: Callable[[Access], Driver], name: str
) -> None:
    rebalances(driver(Access(kafka.bootstrap())), name)


def test_client_commits_and_aborts_transactions(
    kafka: Kafka, driver: Callable[[Access], Driver], name: str
) -> None:
    transacts(driver(Access(kafka.bootstrap())), name)


def test_client_administers(kafka: Kafka, driver: Callable[[Access], Driver], name: str) -> None:
    administers(driver(Access(kafka.bootstrap())), name, set(kafka.bootstrap().split(",")))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_client_logs_in(kafka: Kafka, driver: Callable[[Access], Driver], mechanism: str, name: str) -> None:
    access = access_of(kafka, mechanism, "alice", tls=mechanism != "PLAIN")
    reads_what_it_wrote(driver(access), name)


def test_client_shows_a_certificate(kafka: Kafka, driver: Callable[[Access], Driver], name: str) -> None:
    identity = kafka.authority.identity("alice")
    access = Access(kafka.bootstrap("SSL"), ca=kafka.authority.certificate, identity=identity)
    reads_what_it_wrote(driver(access), name)


def test_wrong_password_is_refused_by_name(kafka: Kafka) -> None:
    access = Access(kafka.bootstrap("SASL_PLAINTEXT"), "SCRAM-SHA-256", "alice", "wrong")
    with pytest.raises(ClientError, match="SASL_AUTHENTICATION_FAILED"):
        Java(access).topics()
