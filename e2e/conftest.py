"""Fixtures of the end-to-end scenarios: one cluster and one release of the chart for all. See README.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from e2e.components.base_image import TAG
from e2e.components.docker import Docker
from e2e.components.helm import Helm, program
from e2e.components.progress import say, step
from e2e.components.waiting import wait_until
from e2e.installed.release import IMAGE, ROOT, Release
from e2e.installed.shop import Orders, Shop
from e2e.installed.traffic import ask
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


@pytest.fixture(scope="session")
def penstock_image(cluster: Cluster, docker: Docker) -> str:
    """The image of operator and gateways, of this working copy; the node has it."""
    docker.build(ROOT, IMAGE)
    cluster.load_image(IMAGE)
    return IMAGE


@pytest.fixture(scope="session")
def release(cluster: Cluster, penstock_image: str, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The chart's release, which may or may not be installed: for scenarios about installing."""
    folder = tmp_path_factory.mktemp("release")
    return Release(cluster, Helm(program(), folder, cluster.kubeconfig), folder)


@pytest.fixture
def gateway(release: Release) -> Release:
    """The release with its gateway Ready; installed by the first scenario that wants it."""
    if not release.is_installed:
        with step("helm install"):
            release.install()
    release.wait_until_ready()
    return release


@pytest.fixture(scope="session")
def shop_namespace(cluster: Cluster, python_image: str) -> str:
    """A namespace with two backend pods behind the Service `web`, for all scenarios."""
    cluster.kubectl_output("create", "namespace", "shop")
    backends = Shop(cluster, "shop", "")
    backends.apply_file("web.yaml", IMAGE=python_image)
    cluster.kubectl_output("rollout", "status", "-n", "shop", "deployment/web", "--timeout=50s")
    return "shop"


@pytest.fixture
def orders(gateway: Release, shop_namespace: str) -> Orders:
    """The API `orders` as a subscriber sees it, served."""
    shop = Shop(gateway.cluster, shop_namespace, gateway.url)
    shop.apply_file("orders.yaml", NAMESPACE=shop_namespace)
    made = Orders(f"{gateway.url}/orders/hostname", {"X-Api-Key": shop.key("mobile")})
    wait_until("orders", lambda: ask(made.url, made.headers).status == 200)
    return made


@pytest.fixture
def shop(gateway: Release, namespace: str) -> Shop:
    """A fresh namespace for APIs of a scenario's own."""
    return Shop(gateway.cluster, namespace, gateway.url)
