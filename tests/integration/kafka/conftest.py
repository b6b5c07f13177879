"""One real Kafka cluster for the tests of this folder, drivers of real clients, and gateways before it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka_access import Access, Driver
from kafka_drivers import DRIVERS
from kafka_gateway import KafkaGateway, Setup

from e2e.components.kafka import Kafka


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[Kafka]:
    """The cluster of the test run: three brokers; its jars are downloaded the first time, which is told."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        made = Kafka()
    with made:
        yield made


@pytest.fixture
def name() -> str:
    """A name for topics, groups and transactions that no other test has."""
    return f"t{secrets.token_hex(5)}"


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Callable[[Access], Driver]:
    """Each client in turn."""
    return DRIVERS[request.param]


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[Callable[..., KafkaGateway]]:
    """Starts gateways; each is ended with its test."""
    started: list[KafkaGateway] = []

    def begin(setup: Setup, *options: str) -> KafkaGateway:
        folder = tmp_path / f"gateway-{len(started)}"
        folder.mkdir()
        started.append(KafkaGateway(folder, setup, *options))
        return started[-1]

    yield begin
    for one in started:
        one.stop()
        print(*one.running.err.all, sep="\n")  # shown where the test has failed
