"""Clients are told of the features of a cluster as by its brokers (KIP-584)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kafka_gateway import KafkaGateway, Setup, upstream
from raw_client import RawClient, raw_client

from e2e.components.kafka import Kafka
from gateway_runtime.protocols.kafka.messages import Message


@pytest.mark.parametrize("version", [3, 4])
def test_features_are_those_of_the_cluster(
    kafka: Kafka, start_gateway: Callable[..., KafkaGateway], version: int
) -> None:
    gateway = start_gateway(Setup(upstream(kafka)))
    broker = kafka.bootstrap().split(",")[0]
    with raw_client(broker) as direct, raw_client(gateway.access.bootstrap) as through:
        expected = _features(direct, version)
        assert _features(through, version) == expected
    assert {"metadata.version", "transaction.version"} <= {
        one["Name"] for one in expected["FinalizedFeatures"]
    }


def _features(client: RawClient, version: int) -> Message:
    asked = {"ClientSoftwareName": "test", "ClientSoftwareVersion": "1"}
    told = client.ask("ApiVersions", version, asked)
    names = ("SupportedFeatures", "FinalizedFeatures")
    return {name: sorted(told[name], key=lambda one: str(one["Name"])) for name in names}
