"""Fixtures of the end-to-end scenarios: one cluster for all, a fresh namespace for each. See README.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from e2e.components.base_image import TAG
from e2e.components.docker import Docker
from e2e.components.progress import say, step
from e2e.providers.choose import provider
from e2e.providers.cluster import Cluster

LOGS = Path(__file__).parent / "results" / "logs"


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """Docker: the user's, or an engine of our own that starts on first use."""
    with Docker() as engine:
        yield engine


@pytest.fixture(scope="session")
def cluster(docker: Docker, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The cluster; where it did not start or a scenario failed, its logs are kept."""
    _, make = provider()
    running, started = make(docker), False
    try:
        running.start()
        started = True
        yield running
    finally:
        if not started or request.session.testsfailed:
            running.write_logs(LOGS)
            say(f"logs of the cluster: {LOGS}")
        with step("stopping the cluster"):
            running.stop()


@pytest.fixture(scope="session")
def python_image(cluster: Cluster, docker: Docker) -> str:
    """An image on the node with Python and nothing else: for backends, clients and probes."""
    if not docker.has(TAG):  # an engine of our own always has it
        docker.run("pull", TAG)
    cluster.load_image(TAG)
    return TAG


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """The name of a fresh namespace, deleted in the background when the scenario ends."""
    name = f"e2e-{uuid4().hex[:8]}"
    cluster.kubectl_output("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")
