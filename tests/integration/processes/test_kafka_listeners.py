"""Kafka listeners of whole gateways: a supervisor and worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from running import PATIENCE, fetch, free_ports

from gateway_runtime.processes.source import Update
from gateway_runtime.processes.supervisor import Options, Supervisor
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.secrets.store import ProviderState
from gateway_runtime.snapshot.codec import api_entry
from gateway_runtime.snapshot.kafka import Certificate, KafkaApi, KafkaCluster, KafkaListener, ListenerTls
from gateway_runtime.snapshot.types import ApiSection, GatewaySection, HttpListener, SecretRef, Snapshot

HOST = "127.0.0.1"
FREE_HOST = "127.0.0.77"
"""An address of which all ports are free."""
CHAIN, KEY = "kubernetes/gateways/tls:crt", "kubernetes/gateways/tls:key"
TLS = ListenerTls(certificates=(Certificate(chain=SecretRef(uri=CHAIN), key=SecretRef(uri=KEY)),))


def certificate(*names: str) -> tuple[str, str]:
    """A certificate that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "edge")])
    sans = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    made = builder.add_extension(sans, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


@dataclass(frozen=True)
class Given:
    """One update."""

    snapshot: Snapshot
    secrets: Mapping[str, SecretText]
    problems: tuple[str, ...] = ()


class World:
    """A supervisor in this process with worker processes, and the source that it follows."""

    def __init__(self) -> None:
        self._updates: asyncio.Queue[Given] = asyncio.Queue()
        self._told: dict[int, Mapping[str, str]] = {}
        self._changed = asyncio.Condition()
        options = Options(workers=2, admin_port=free_ports(1)[0])
        self._supervisor = Supervisor(self, options, lambda *_: None, self._served)
        self._running = asyncio.create_task(self._supervisor.run(None))

    async def serve(self, snapshot: Snapshot, pairs: Mapping[str, str]) -> Mapping[str, str]:
        """Have an update served; answers what is wrong with it once all workers have it."""
        given = Given(snapshot, {uri: SecretText(value) for uri, value in pairs.items()})
        self._updates.put_nowait(given)
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: id(given) in self._told)
        return self._told[id(given)]

    def _served(self, update: Update, errors: Mapping[str, str]) -> None:
        self._told[id(update)] = errors
        self._notifying = asyncio.create_task(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def stop(self) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            return await self._running

    def load(self) -> Update:
        raise LookupError("all updates are told")

    async def watch(self) -> AsyncIterator[Update]:
        while True:
            yield await self._updates.get()

    def missing(self) -> str:
        return ""

    def secrets(self) -> Sequence[ProviderState]:
        return ()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    assert await made.stop() == 0


def snapshot(*listeners: KafkaListener, apis: Mapping[str, int] | None = None, http: int = 0) -> Snapshot:
    """A gateway with these listeners; APIs by the ports of their bootstrap."""
    cluster = KafkaCluster(name="c", bootstrap_servers=("127.0.0.1:1",))
    entries = {
        f"shop/{name}": api_entry(
            ApiSection(
                name=name, namespace="shop", routes=(), endpoint_groups=(),
                kafka=KafkaApi(name=name, cluster=cluster, port=port, brokers=2),
            )
        )
        for name, port in (apis or {}).items()
    }  # fmt: skip
    open_to_all = (HttpListener(name="http", address=HOST, port=http),) if http else ()
    return Snapshot(gateway=GatewaySection(listeners=open_to_all, kafka_listeners=listeners), apis=entries)


async def shown(port: int, name: str, host: str = HOST) -> str:
    """The certificate that a client is shown which asks for a name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with asyncio.timeout(PATIENCE):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return ssl.DER_cert_to_PEM_cert(der)


async def shown_by_both(port: int, name: str, host: str = HOST) -> str:
    """As `shown`, by each of the workers: the kernel spreads new connections."""
    certificates = {await shown(port, name, host) for _ in range(20)}
    assert len(certificates) == 1
    return certificates.pop()


async def test_the_name_that_a_client_asks_for_picks_the_certificate(world: World) -> None:
    (port,) = free_ports(1)
    other_tls = Certificate(chain=SecretRef(uri="two:crt"), key=SecretRef(uri="two:key"))
    tls = ListenerTls(certificates=(*TLS.certificates, other_tls))
    listener = KafkaListener(name="kafka", address=HOST, port=port, bootstrap="{api}.example", tls=tls)
    one, two = certificate("a.example"), certificate("*.b.example")
    pairs = {CHAIN: one[0], KEY: one[1], "two:crt": two[0], "two:key": two[1]}
    assert await world.serve(snapshot(listener), pairs) == {}
    assert await shown(port, "a.example") == one[0]
    assert await shown(port, "k.b.example") == two[0]


async def test_a_rotated_certificate_is_shown_and_open_connections_stay(world: World) -> None:
    (port,) = free_ports(1)
    listener = KafkaListener(name="kafka", address=HOST, port=port, bootstrap="{api}.example", tls=TLS)
    old, new = certificate("a.example"), certificate("a.example")
    await world.serve(snapshot(listener), {CHAIN: old[0], KEY: old[1]})
    with socket.create_connection((HOST, port), PATIENCE) as open_before:
        assert await world.serve(snapshot(listener), {CHAIN: new[0], KEY: new[1]}) == {}
        assert await shown_by_both(port, "a.example") == new[0]
        # Whoever had connected, and not shaken hands yet, is shown the new one.
        context = ssl.create_default_context(cadata=new[0])
        secured = await asyncio.to_thread(context.wrap_socket, open_before, server_hostname="a.example")
        assert secured.getpeercert(True) == ssl.PEM_cert_to_DER_cert(new[0])
        secured.close()


async def test_a_missing_certificate_is_told_of_and_http_is_served(world: World) -> None:
    port, http = free_ports(2)
    listener = KafkaListener(name="kafka", address=HOST, port=port, bootstrap="{api}.example", tls=TLS)
    errors = await world.serve(snapshot(listener, http=http), {})
    assert errors == {"": f"listener kafka: certificate {CHAIN}: {CHAIN} is missing"}
    assert (await fetch(http, "/")).status == 404
    with pytest.raises(ConnectionError):
        await shown(port, "a.example")
    pair = certificate("a.example")
    assert await world.serve(snapshot(listener, http=http), {CHAIN: pair[0], KEY: pair[1]}) == {}
    assert await shown_by_both(port, "a.example") == pair[0]
    broken = await world.serve(snapshot(listener, http=http), {CHAIN: pair[0], KEY: "no PEM"})
    assert broken[""].startswith(f"listener kafka: certificate {CHAIN}: ")
    assert await shown_by_both(port, "a.example") == pair[0]


async def test_ports_come_and_go_with_apis(world: World) -> None:
    first = 20000
    listener = KafkaListener(name="kafka", address=FREE_HOST, port=first, last_port=first + 20, tls=TLS)
    pair = certificate("edge.example")
    pairs = {CHAIN: pair[0], KEY: pair[1]}
    assert await world.serve(snapshot(listener, apis={"a": first, "b": first + 3}), pairs) == {}
    for port in range(first, first + 6):
        assert await shown(port, "edge.example", FREE_HOST) == pair[0]
    with pytest.raises(ConnectionRefusedError):
        await shown(first + 6, "edge.example", FREE_HOST)
    assert await world.serve(snapshot(listener, apis={"b": first + 3}), pairs) == {}
    assert await shown_by_both(first + 3, "edge.example", FREE_HOST) == pair[0]
    await refused(first)


async def test_more_ports_than_one_packet_holds_are_all_served(world: World) -> None:
    listener = KafkaListener(name="kafka", address=FREE_HOST, port=20000, last_port=29999, tls=TLS)
    pair = certificate("edge.example")
    apis = {f"a{number}": 20000 + 3 * number for number in range(100)}
    assert await world.serve(snapshot(listener, apis=apis), {CHAIN: pair[0], KEY: pair[1]}) == {}
    assert await shown(20000, "edge.example", FREE_HOST) == pair[0]
    assert await shown(20299, "edge.example", FREE_HOST) == pair[0]


async def test_a_port_may_turn_from_http_to_kafka(world: World) -> None:
    (port,) = free_ports(1)
    pair = certificate("a.example")
    await world.serve(snapshot(http=port), {})
    assert (await fetch(port, "/")).status == 404
    listener = KafkaListener(name="kafka", address=HOST, port=port, bootstrap="{api}.example", tls=TLS)
    assert await world.serve(snapshot(listener), {CHAIN: pair[0], KEY: pair[1]}) == {}
    while True:  # until the workers have closed what they had there
        with suppress(ssl.SSLError, ConnectionError):
            assert await shown(port, "a.example") == pair[0]
            break


async def refused(port: int) -> None:
    """Wait until nobody listens there any more."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await shown(port, "edge.example", FREE_HOST)
            except ConnectionRefusedError:
                return
