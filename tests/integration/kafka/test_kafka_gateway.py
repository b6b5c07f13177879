"""Each client works through the gateway as at the cluster itself, and sees no address but the gateway's."""

from collections.abc import Callable

from kafka_access import Access, Driver
from kafka_gateway import KafkaGateway, Setup, upstream
from kafka_scenarios import administers, reads_what_it_wrote, rebalances, transacts

from e2e.components.kafka import Kafka

Make = Callable[[Access], Driver]
Start = Callable[..., KafkaGateway]


def test_client_reads_what_it_wrote(kafka: Kafka, driver: Make, start_gateway: Start, name: str) -> None:
    gateway = start_gateway(Setup(upstream(kafka)))
    reads_what_it_wrote(driver(gateway.access), name)


def test_client_shares_partitions_with_another_member(
    kafka: Kafka, driver: Make, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(kafka)))
    rebalances(driver(gateway.access), name)


def test_client_commits_and_aborts_transactions(
    kafka: Kafka, driver: Make, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(kafka)))
    transacts(driver(gateway.access), name)


def test_client_administers_and_sees_no_broker(
    kafka: Kafka, driver: Make, start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(Setup(upstream(kafka)))
    administers(driver(gateway.access), name, gateway.nodes)
