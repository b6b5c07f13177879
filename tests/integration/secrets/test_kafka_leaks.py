"""The secrets that a Kafka endpoint or listener names are searched for, after each of them failed in use."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from gateway_pod import Cluster, GatewayPod, wait_for
from leak_search import BROKEN, CANARY, CLEAN, leaks_of, of_admin, of_cluster, of_files, of_processes

from e2e.components.kafka import Kafka
from e2e.components.ports import ADDRESS
from gateway_runtime.protocols.kafka.frames import RequestHeader, request_frame
from gateway_runtime.snapshot.kafka import (
    Certificate,
    KafkaApi,
    KafkaCluster,
    KafkaListener,
    KafkaTls,
    ListenerTls,
    OAuthSasl,
    PlainSasl,
    ScramSasl,
)
from gateway_runtime.snapshot.types import ApiSection, KeylessSecurity, Plan, SecretRef

sys.path.append(str(Path(__file__).parents[1] / "kafka"))
from kafka_gateway import free_block

StartPod = Callable[..., GatewayPod]
USES = "{#secrets.get('token')}"
API_VERSIONS = 18


@pytest.fixture
def echo() -> Iterator[str]:
    """The URL of a token endpoint that refuses, and tells all that it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"])).decode()
            told = {"error": "invalid_client", "error_description": f"{self.headers} {sent}"}
            body = json.dumps(told).encode()
            self.send_response(401)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer((ADDRESS, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{ADDRESS}:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def everywhere(kafka: Kafka, echo: str, ca: str) -> list[KafkaCluster]:
    """A cluster for each place that a secret may be named at; a login with it is refused."""

    def made(name: str, protocol: str = "SASL_PLAINTEXT", **fields: object) -> KafkaCluster:
        return KafkaCluster(name=name, bootstrap_servers=(kafka.bootstrap(protocol),), **fields)  # type: ignore[arg-type]

    def oauth(**fields: str) -> OAuthSasl:
        return OAuthSasl(
            **{"token_url": f"{echo}/token", "client_id": "edge", "client_secret": USES, **fields}
        )

    return [
        made("plain", sasl=PlainSasl(username="alice", password=USES)),
        made("plain-user", sasl=PlainSasl(username=USES, password=USES)),
        made("scram", sasl=ScramSasl(username="alice", password=USES)),
        made("scram-user", sasl=ScramSasl(username=USES, password=USES)),
        made("secret", sasl=oauth()),
        made("client", sasl=oauth(client_id=USES, scope=USES)),
        made("token-path", sasl=oauth(token_url=f"{echo}/{USES}")),
        made("ca", "SSL", tls=KafkaTls(ca=USES)),
        made("certificate", "SSL", tls=KafkaTls(ca=ca, certificate=USES, key=USES)),
        made("key", "SSL", tls=KafkaTls(ca=ca, certificate=ca, key=USES)),
        made("tls-sasl", "SASL_SSL", tls=KafkaTls(ca=ca), sasl=PlainSasl(username="alice", password=USES)),
    ]


def api_of(cluster: KafkaCluster, port: int, reference: SecretRef) -> ApiSection:
    """An API in front of it, at a port of its own and one for a broker."""
    return ApiSection(
        name=cluster.name,
        namespace="shop",
        routes=(),
        endpoint_groups=(),
        plans=(Plan(name="open", security=KeylessSecurity()),),
        secrets={"token": reference},
        kafka=KafkaApi(name=cluster.name, cluster=cluster, port=port, first_broker=1, brokers=1),
    )


def call(port: int) -> bytes:
    """Asks as any client does first; all that is answered until the end of the connection."""
    with socket.create_connection((ADDRESS, port), timeout=20) as client:
        for part in request_frame(RequestHeader(API_VERSIONS, 0, 1, "test", 0), {}):
            client.sendall(part)
        return b"".join(iter(lambda: client.recv(4096), b""))


@pytest.mark.parametrize("key", ["text", "broken", "clean"])
def test_no_value_of_a_kafka_endpoint_or_listener_leaves_a_pod(
    key: str, cluster: Cluster, start_pod: StartPod, kafka: Kafka, echo: str, debugging: dict[str, str],
    tmp_path: Path,
) -> None:  # fmt: skip
    cluster.grant("canary")
    cluster.secret("canary", text=CANARY.encode(), broken=BROKEN.encode(), clean=CLEAN.encode())
    pod = start_pod(environment=debugging)
    reference = cluster.reference("canary", key)
    clusters = everywhere(kafka, echo, kafka.authority.certificate.read_text())
    first = free_block(2 * len(clusters) + 1)
    tls = first + 2 * len(clusters)
    gateway = msgspec.structs.replace(
        pod.section,
        kafka_listeners=(
            KafkaListener(name="clear", address=ADDRESS, host=ADDRESS, port=first, last_port=tls - 1),
            KafkaListener(
                name="tls",
                address=ADDRESS,
                port=tls,
                bootstrap="{api}.kafka.test",
                broker="{api}-{broker}.kafka.test",
                tls=ListenerTls(certificates=(Certificate(chain=reference, key=reference),)),
            ),
        ),
    )
    sections = [api_of(one, first + 2 * index, reference) for index, one in enumerate(clusters)]
    cluster.publish(*sections, gateway=gateway)
    wait_for(lambda: "tls: certificate" in pod.log())
    answered = [(one.kafka.name, call(one.kafka.port)) for one in sections]
    pids = [pod.process.pid, *pod.workers()]
    found = leaks_of([*answered, *of_processes(pids), *of_admin(pod), *of_cluster(cluster)])
    os.kill(pids[1], signal.SIGABRT)  # QUIT may be ignored, as in a job in the background
    wait_for(lambda: "has died" in pod.log())
    assert pod.stop() == 0
    log = pod.log()
    found += leaks_of([*of_files(tmp_path), ("the log", log.encode())])
    assert found == []
    for told in ("refuses the login by PLAIN", "no token from http://", "cannot be used", "Using selector"):
        assert told in log
