"""Clients come by TLS: to hosts by SNI, to ports, and with certificates that say who they are."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from driver_aiokafka import AioKafka
from driver_kafka_python import KafkaPython
from driver_programs import Franz, Java
from kafka_access import PATIENCE, Access, ClientError, Driver
from kafka_gateway import HOST, KafkaGateway, Manifest, Setup, upstream
from kafka_scenarios import reads_what_it_wrote

from e2e.components.kafka import Kafka

Start = Callable[..., KafkaGateway]
NAMES = ("orders.kafka.test", *(f"orders-{broker}.kafka.test" for broker in (1, 2, 3)))
TELLABLE = (AioKafka, KafkaPython, Java, Franz)
"""Clients that can be told where a name is without a DNS."""

LIBRDKAFKA = """
import json, sys
from driver_confluent import Confluent
from kafka_access import Access
from kafka_scenarios import reads_what_it_wrote
bootstrap, ca, topic = sys.argv[1:]
driver = Confluent(Access(bootstrap, ca=ca))
reads_what_it_wrote(driver, topic)
print(json.dumps(sorted(driver.nodes())))
"""
WITH_HOSTS = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


@pytest.mark.parametrize("client", TELLABLE, ids=lambda one: one.name)
def test_client_comes_to_hosts(
    kafka: Kafka,
    client: Callable[[Access], Driver],
    start_gateway: Start,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = start_gateway(_by_tls(kafka, by_host=True))
    _know(monkeypatch, NAMES)
    driver = client(
        Access(f"{NAMES[0]}:{gateway.port}", ca=kafka.authority.certificate, loopback_names=NAMES)
    )
    reads_what_it_wrote(driver, name)
    assert driver.nodes() == {f"{one}:{gateway.port}" for one in NAMES[1:]}


@pytest.mark.slow
def test_librdkafka_comes_to_hosts(kafka: Kafka, start_gateway: Start, name: str, tmp_path: Path) -> None:
    # It asks the system for names, whose file of hosts is another in a mount namespace of its own.
    gateway = start_gateway(_by_tls(kafka, by_host=True))
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"{HOST} {one}\n" for one in NAMES))
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    given = [f"{NAMES[0]}:{gateway.port}", str(kafka.authority.certificate), name]
    command = [*namespace, "sh", "-c", WITH_HOSTS, "sh", str(hosts), sys.executable, "-c", LIBRDKAFKA, *given]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert ended.returncode == 0, ended.stderr
    assert set(json.loads(ended.stdout)) == {f"{one}:{gateway.port}" for one in NAMES[1:]}


def test_host_of_no_api_is_turned_away(kafka: Kafka, start_gateway: Start) -> None:
    gateway = start_gateway(_by_tls(kafka, by_host=True))
    names = ("stock.kafka.test",)
    access = Access(f"{names[0]}:{gateway.port}", ca=kafka.authority.certificate, loopback_names=names)
    with pytest.raises(ClientError):
        Franz(access).topics()


def test_client_comes_to_ports(
    kafka: Kafka, driver: Callable[[Access], Driver], start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(_by_tls(kafka, by_host=False))
    made = driver(replace(gateway.access, ca=kafka.authority.certificate))
    reads_what_it_wrote(made, name)
    assert made.nodes() == gateway.nodes


def test_certificate_says_who_a_client_is(
    kafka: Kafka, driver: Callable[[Access], Driver], start_gateway: Start, name: str
) -> None:
    gateway = start_gateway(_by_certificate(kafka))
    identity = kafka.authority.identity("mobile")
    reads_what_it_wrote(
        driver(replace(gateway.access, ca=kafka.authority.certificate, identity=identity)), name
    )


@pytest.mark.parametrize("common_name", ["stranger", None])
def test_certificate_of_nobody_known_lets_nobody_in(
    kafka: Kafka, start_gateway: Start, common_name: str | None
) -> None:
    gateway = start_gateway(_by_certificate(kafka))
    identity = kafka.authority.identity(common_name) if common_name else None
    access = replace(gateway.access, ca=kafka.authority.certificate, identity=identity)
    with pytest.raises(ClientError):
        Franz(access).topics()


def _by_tls(kafka: Kafka, *, by_host: bool) -> Setup:
    identity = kafka.authority.identity("edge", hosts=["*.kafka.test"])
    pair = {"tls.crt": identity.certificate.read_text(), "tls.key": identity.key.read_text()}
    tls: Manifest = {"certificateRefs": [{"name": "edge-tls"}]}
    return Setup(upstream(kafka), secrets={"edge-tls": pair}, tls=tls, by_host=by_host)


def _by_certificate(kafka: Kafka) -> Setup:
    setup = _by_tls(kafka, by_host=False)
    assert setup.tls
    subscription = {
        "planRef": {"name": "certificates"},
        "application": {"name": "mobile", "clientId": "mobile"},
    }
    return replace(
        setup,
        tls=setup.tls | {"clientCaRef": {"name": "clients"}},
        secrets=setup.secrets | {"clients": {"ca.crt": kafka.authority.certificate.read_text()}},
        plans={"certificates": {"mtls": {}}},
        subscriptions={"mobile": subscription},
    )


def _know(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    """Have Python find the names at the loopback address."""
    find = socket.getaddrinfo

    def found(host: Any, *options: Any, **more: Any) -> Any:
        return find(HOST if host in names else host, *options, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)
