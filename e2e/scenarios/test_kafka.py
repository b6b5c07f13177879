"""Kafka clients of the cluster write and read through a gateway's Service, by host names and TLS."""

from functools import partial
from pathlib import Path

import pytest

from e2e.components import kafka_image
from e2e.components.docker import Docker
from e2e.components.kafka_certificates import Authority
from e2e.components.progress import say
from e2e.components.waiting import wait_until
from e2e.installed.kafka_client import KafkaClient, by_partition
from e2e.installed.shop import Shop
from e2e.providers.cluster import Cluster

CLIENT = """security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=/etc/client/ca.crt
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
  username="mobile" password="{key}";
enable.idempotence=true
retries=2147483647
"""
OF_PODS = "--selector=app.kubernetes.io/name=penstock-gateway"


@pytest.fixture(scope="session")
def kafka(cluster: Cluster, docker: Docker) -> str:
    """An image on the node with Kafka's brokers and clients."""
    tag = kafka_image.build(docker)
    cluster.load_image(tag)
    return tag


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom the clients trust, and nobody else."""
    return Authority(tmp_path)


@pytest.fixture
def streams(shop: Shop, authority: Authority) -> Shop:
    """A namespace with the gateway and the API of `kafka_api.yaml`, whose pods are Ready."""
    wildcard = authority.identity("wildcard", hosts=["*.kafka.test"])
    pair = {"tls.crt": wildcard.certificate.read_text(), "tls.key": wildcard.key.read_text()}
    broker = {"password": "password-of-the-broker"}
    shop.apply(secret("wildcard", pair, "kubernetes.io/tls"), secret("broker-user", broker))
    shop.apply_file("kafka_api.yaml", NAMESPACE=shop.namespace)
    for what in ("gatewaydeployment/streams", "apidefinition/orders"):
        wait_until(what, partial(is_ready, shop, what), seconds=180)
    return shop


def test_the_status_says_where_the_api_is_and_pods_read_just_the_secrets_they_name(streams: Shop) -> None:
    [api] = streams.get("apidefinitions")["items"]
    assert api["status"]["urls"] == ["kafka://orders.kafka.test:9092"]
    key = "mobile-api-key"
    assert streams.key("mobile")
    assert streams.names("secrets") >= {"wildcard", "broker-user", key}
    assert {name for name in streams.names("secrets") if may_read(streams, name)} == {
        "broker-user",
        "streams-pepper",
        "wildcard",
    }
    assert not may_list(streams)


def test_clients_write_and_read_every_record_once_while_the_gateway_rolls(
    streams: Shop, authority: Authority, kafka: str
) -> None:
    streams.apply_file("kafka_broker.yaml", NAMESPACE=streams.namespace, IMAGE=kafka)
    kubectl(streams, "rollout", "status", "deployment/broker", "--timeout=55s")
    client = start_client(streams, authority, kafka)
    client.wait_for(300)

    before = pods(streams)
    kubectl(streams, "rollout", "restart", "deployment/streams")
    wait_until("the end of the pods before", lambda: not before & pods(streams), seconds=150)
    client.wait_for(300)
    written = client.stop_writing()

    assert client.failures() == []
    read = client.read()
    say(f"kafka: {len(written)} records written, {len(read)} read")
    assert sorted(read) == sorted(written)
    assert sorted(one.value for one in read) == list(range(len(written)))
    for partition in by_partition(read).values():
        assert [one.offset for one in partition] == list(range(len(partition)))
        assert sorted(one.value for one in partition) == [one.value for one in partition]
    assert "shop.events-0" in kubectl(streams, "exec", "deployment/broker", "--", "ls", "/data/log")


def start_client(streams: Shop, authority: Authority, image: str) -> KafkaClient:
    """Starts a writer and a reader who know the subscription's key."""
    properties = CLIENT.format(key=streams.key("mobile"))
    ca = authority.certificate.read_text()
    streams.apply(secret("client", {"client.properties": properties, "ca.crt": ca}))
    service = kubectl(streams, "get", "service", "streams", "-o", "jsonpath={.spec.clusterIP}")
    streams.apply_file("kafka_client.yaml", IMAGE=image, GATEWAY=service)
    kubectl(streams, "wait", "pod/client", "--for=condition=Ready", "--timeout=55s")
    return KafkaClient(streams.cluster, streams.namespace)


def kubectl(streams: Shop, verb: str, *arguments: str) -> str:
    return streams.cluster.kubectl_output(verb, "-n", streams.namespace, *arguments)


def is_ready(streams: Shop, what: str) -> bool:
    command = ["wait", "-n", streams.namespace, what, "--for=condition=Ready", "--timeout=5s"]
    return succeeds(streams, *command)


def succeeds(streams: Shop, *arguments: str) -> bool:
    return streams.cluster.kubectl(*arguments).returncode == 0


def pods(streams: Shop) -> set[str]:
    """The names of the gateway's pods, also of those that are about to end."""
    return set(kubectl(streams, "get", "pods", OF_PODS, "-o", "name").split())


def may_read(streams: Shop, secret: str) -> bool:
    return may(streams, "get", f"secret/{secret}")


def may_list(streams: Shop) -> bool:
    return may(streams, "list", "secrets")


def may(streams: Shop, verb: str, what: str) -> bool:
    """What the gateway's pods may do."""
    account = f"--as=system:serviceaccount:{streams.namespace}:streams"
    return succeeds(streams, "auth", "can-i", verb, what, "-n", streams.namespace, account)


def secret(name: str, values: dict[str, str], kind: str = "Opaque") -> dict[str, object]:
    metadata = {"name": name}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "stringData": values}
