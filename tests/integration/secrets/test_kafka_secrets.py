"""A Kafka endpoint's password and TLS are secrets, and change while clients write through the gateway."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from gateway_pod import Cluster, GatewayPod, wait_for
from kafka_secret_world import allow_alone, connections_to, make_topic, set_password, values, writer
from vault_world import VaultWorld

from e2e.components.kafka import Kafka
from e2e.components.ports import ADDRESS
from gateway_runtime.snapshot.kafka import KafkaApi, KafkaCluster, KafkaListener, KafkaTls, ScramSasl
from gateway_runtime.snapshot.providers import VaultToken
from gateway_runtime.snapshot.types import ApiSection, GatewaySection, KeylessSecurity, Plan, SecretRef

sys.path.append(str(Path(__file__).parents[1] / "kafka"))
from kafka_gateway import KafkaGateway, Setup, free_block

StartPod = Callable[..., GatewayPod]
OPEN = (Plan(name="open", security=KeylessSecurity()),)


@dataclass(frozen=True)
class Place:
    """Where the values of the test are: how they are written, and how they are named."""

    write: Callable[..., None]
    reference: Callable[[str], SecretRef]


@pytest.fixture(params=["vault", "kubernetes"])
def place(request: pytest.FixtureRequest, vault: VaultWorld, cluster: Cluster, start_pod: StartPod) -> Place:
    """A secret of a real Vault, then one of the API server, which pods may read."""
    cluster.grant("login", "cluster")
    cluster.secret("login", token=vault.token().encode())
    if request.param == "vault":
        path = f"shop/{secrets.token_hex(4)}"
        return Place(
            lambda **texts: vault.write(path, **texts),
            lambda key: SecretRef(uri=f"vault/main/kv/{path}:{key}"),
        )
    return Place(
        lambda **texts: cluster.secret("cluster", **{key: text.encode() for key, text in texts.items()}),
        lambda key: cluster.reference("cluster", key),
    )


@pytest.fixture
def topic(kafka: Kafka) -> str:
    """A topic of the test's own."""
    name = f"t{secrets.token_hex(5)}"
    make_topic(kafka, name)
    return name


def orders(cluster: KafkaCluster, port: int, place: Place, *keys: str) -> ApiSection:
    """A Kafka API for everybody, whose strings name these secrets."""
    kafka = KafkaApi(name="orders", cluster=cluster, port=port, first_broker=1, brokers=1)
    named = {key: place.reference(key) for key in keys}
    return ApiSection(
        name="orders",
        namespace="shop",
        routes=(),
        endpoint_groups=(),
        plans=OPEN,
        secrets=named,
        kafka=kafka,
    )


def with_kafka(pod: GatewayPod, port: int, cluster: Cluster, vault: VaultWorld) -> GatewaySection:
    """The pod's section with ports for Kafka clients, and Vault."""
    listener = KafkaListener(name="kafka", address=ADDRESS, host=ADDRESS, port=port, last_port=port + 1)
    provider = vault.provider(VaultToken(token=cluster.reference("login")), refresh=0.3)
    return msgspec.structs.replace(pod.section, kafka_listeners=(listener,), secret_providers=(provider,))


def port_of(kafka: Kafka, protocol: str) -> int:
    return int(kafka.bootstrap(protocol).rpartition(":")[2])


def test_a_password_changes_at_broker_and_secret_and_no_client_loses_a_record(
    place: Place, vault: VaultWorld, cluster: Cluster, start_pod: StartPod, kafka: Kafka, topic: str
) -> None:
    user, port = f"u{secrets.token_hex(4)}", free_block(2)
    ca = kafka.authority.certificate.read_text()
    set_password(kafka, user, "first")
    place.write(password="first", ca=ca)
    section = orders(
        KafkaCluster(
            name="cluster",
            bootstrap_servers=(kafka.bootstrap("SASL_SSL"),),
            tls=KafkaTls(ca="{#secrets.get('ca')}"),
            sasl=ScramSasl(username=user, password="{#secrets.get('password')}"),
        ),
        port, place, "password", "ca",
    )  # fmt: skip
    pod = start_pod(workers=1)
    cluster.publish(section, gateway=with_kafka(pod, port, cluster, vault))
    wait_for(pod.is_ready)

    with writer(port, topic) as one:
        one.wait_for(50)
        before = connections_to(port_of(kafka, "SASL_SSL"))
        assert before

        set_password(kafka, user, "second")
        # Who comes now is let in once the secret has changed, too; who is in stays.
        late = f"{topic}-late"
        make_topic(kafka, late)
        with writer(port, late) as other:
            wait_for(lambda: "refuses the login by SCRAM-SHA-512" in pod.log())
            one.wait_for(50)
            assert before & connections_to(port_of(kafka, "SASL_SSL"))

            place.write(password="second", ca=ca)
            wait_for(lambda: not before & connections_to(port_of(kafka, "SASL_SSL")))
            one.wait_for(50)
            other.wait_for(50)
    assert (one.failures, other.failures) == ([], [])
    assert values(kafka, topic) == list(range(one.written))
    assert values(kafka, late) == list(range(other.written))
    assert "first" not in pod.log()
    assert "second" not in pod.log().replace("seconds", "")


def test_a_certificate_changes_and_one_that_does_not_fit_leaves_what_was_there(
    place: Place, vault: VaultWorld, cluster: Cluster, start_pod: StartPod, kafka: Kafka, topic: str
) -> None:
    port = free_block(2)
    users = [f"u{secrets.token_hex(4)}" for _ in range(2)]
    first, second = map(kafka.authority.identity, users)
    of_second = f"{topic}-of-second"
    make_topic(kafka, of_second)
    allow_alone(kafka, users[1], of_second)
    place.write(certificate=first.certificate.read_text(), key=first.key.read_text())
    tls = KafkaTls(
        ca=kafka.authority.certificate.read_text(),
        certificate="{#secrets.get('certificate')}",
        key="{#secrets.get('key')}",
    )
    made = KafkaCluster(name="cluster", bootstrap_servers=(kafka.bootstrap("SSL"),), tls=tls)
    pod = start_pod(workers=1)
    section = orders(made, port, place, "certificate", "key")
    cluster.publish(section, gateway=with_kafka(pod, port, cluster, vault))
    wait_for(pod.is_ready)

    with writer(port, topic) as one:
        one.wait_for(50)
        before = connections_to(port_of(kafka, "SSL"))
        place.write(certificate=second.certificate.read_text(), key=first.key.read_text())
        wait_for(lambda: "cannot be used" in cluster.told(pod.name)[1].get("shop/orders", ""))
        one.wait_for(50)
        assert connections_to(port_of(kafka, "SSL")) >= before

        place.write(certificate=second.certificate.read_text(), key=second.key.read_text())
        wait_for(lambda: not before & connections_to(port_of(kafka, "SSL")))
        wait_for(lambda: cluster.told(pod.name)[1] == {})
        one.wait_for(50)
        with writer(port, of_second) as other:
            other.wait_for(1)
    assert (one.failures, other.failures) == ([], [])
    assert values(kafka, topic) == list(range(one.written))


def test_without_a_cluster_a_variable_and_a_file_give_them_and_the_file_is_followed(
    kafka: Kafka, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, everything = f"u{secrets.token_hex(4)}", [{"namespaces": ["*"], "paths": ["*"]}]
    monkeypatch.setenv("SHOP_USER", user)
    files, manifests = tmp_path / "files", tmp_path / "manifests"
    files.mkdir()
    manifests.mkdir()
    set_password(kafka, user, "first")
    (files / "password").write_text("first\n")
    login = {"username": "{#secrets.get('/own/USER')}", "password": "{#secrets.get('/local/password')}"}
    endpoint = {"bootstrapServers": [kafka.bootstrap("SASL_PLAINTEXT")], "sasl": {"scram": login}}
    providers = [
        {"name": "own", "env": {"prefix": "SHOP_"}, "allow": everything},
        {"name": "local", "file": {"folder": str(files)}, "allow": everything},
    ]
    gateway = KafkaGateway(manifests, Setup(endpoint, gateway={"secretProviders": providers}))
    try:
        with writer(gateway.port, topic) as one:
            one.wait_for(50)
            before = connections_to(gateway.port + 1)
            set_password(kafka, user, "second")
            (files / ".new").write_text("second\n")
            (files / ".new").rename(files / "password")
            gateway.running.until(lambda: not before & connections_to(gateway.port + 1))
            one.wait_for(50)
        assert one.failures == []
        assert values(kafka, topic) == list(range(one.written))
    finally:
        gateway.stop()
