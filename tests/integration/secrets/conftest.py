"""One real Vault for the tests of this folder, and a fresh store for each."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from vault_world import Asked, VaultWorld, self_signed

from e2e.components.control_plane import ControlPlane
from e2e.components.kafka import Kafka
from e2e.components.kafka_configuration import Options
from e2e.components.vault.server import VaultServer

sys.path.append(str(Path(__file__).parents[1] / "cluster"))
from gateway_pod import Cluster, GatewayPod

_SHOUT = """
import logging

_basic = logging.basicConfig


def shout(**options):
    _basic(**{**options, "level": logging.DEBUG})


logging.basicConfig = shout
"""
"""Has each process of the gateway log at debug level."""


@pytest.fixture(scope="session")
def vault(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultWorld]:
    """The Vault of the test run, by TLS; the first time on a machine it is built, and the user sees that."""
    folder = tmp_path_factory.mktemp("vault")
    ca = self_signed("vault")
    certificate, key = folder / "server.crt", folder / "server.key"
    certificate.write_text(ca.certificate)
    key.write_text(ca.key)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        server = VaultServer(certificate, key)
    with server:
        yield VaultWorld(server, ca, folder)


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[Kafka]:
    """A broker of this folder's own; its jars are downloaded the first time, which is told."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        made = Kafka(Options(brokers=1))
    with made:
        yield made


@pytest_asyncio.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    """A store with no secrets yet."""
    made = Asked(tmp_path)
    yield made
    await made.store.stop()


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A Kubernetes API of this folder's own."""
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Iterator[Cluster]:
    """A namespace of that API."""
    name = f"secrets-{secrets.token_hex(4)}"
    control_plane.kubectl_output("create", "namespace", name)
    made = Cluster(control_plane, name)
    yield made
    made.forget_connection()


@pytest.fixture
def start_pod(cluster: Cluster) -> Iterator[Callable[..., GatewayPod]]:
    """Starts pods with the rights of their account; ends them with the test."""
    pods: list[GatewayPod] = []
    kubeconfig = cluster.kubeconfig()
    cluster.grant()

    def start(**options: object) -> GatewayPod:
        pods.append(GatewayPod(cluster, kubeconfig, **options))  # type: ignore[arg-type]
        return pods[-1]

    yield start
    for pod in pods:
        if pod.process.poll() is None:
            pod.stop()


@pytest.fixture
def debugging(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that logs at debug level, into folders of its own."""
    (tmp_path / "shout").mkdir()
    (tmp_path / "shout" / "sitecustomize.py").write_text(_SHOUT)
    (tmp_path / "files").mkdir()
    paths = os.pathsep.join([str(tmp_path / "shout"), *sys.path])
    return {"PYTHONPATH": paths, "PYTHONASYNCIODEBUG": "1", "TMPDIR": str(tmp_path / "files")}
