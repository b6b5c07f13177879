"""One real Kubernetes API for the whole test run, with Penstock's kinds, and a fresh namespace for a test."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from gateway_pod import Cluster, GatewayPod
from operator_process import OWN_NAMESPACE, Operator, Shop, operator_account, wait_for
from severable import Link

from e2e.components.control_plane import ControlPlane

ROOT = Path(__file__).resolve().parents[3]

CONTENTS = (
    "penstock,deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings,leases,"
    "poddisruptionbudgets,horizontalpodautoscalers,networkpolicies,controllerrevisions"
)
"""What an operator that watches all namespaces would see of a test that is over."""

Objects = str | dict[str, Any] | list[dict[str, Any]]


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """The API server of the test run; the first time on a machine it is built, and the user sees that."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        plane = ControlPlane()
    with plane:
        plane.apply_crds(ROOT / "crds")
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A fresh namespace; what it holds goes when the test ends."""
    with fresh_namespace(control_plane) as name:
        yield name


@pytest.fixture
def apply(control_plane: ControlPlane, namespace: str) -> Callable[[Objects], None]:
    """Applies YAML or objects in the test's namespace on the server's side; raises where it refuses them."""

    def apply_objects(objects: Objects) -> None:
        options = ("--server-side", "--namespace", namespace, "-f", "-")
        control_plane.kubectl_output("apply", *options, input=_as_yaml(objects))

    return apply_objects


@pytest.fixture
def cluster(control_plane: ControlPlane, namespace: str) -> Iterator[Cluster]:
    """The test's namespace, as the administrator sees it."""
    made = Cluster(control_plane, namespace)
    yield made
    made.forget_connection()


@pytest.fixture
def link(control_plane: ControlPlane) -> Iterator[Link]:
    """A way to the API server that can break."""
    with Link(int(control_plane.url.rpartition(":")[2])) as made:
        yield made


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


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane) -> Iterator[Operator]:
    """One operator with the shipped rights and its webhook, for all tests of a module."""
    running = Operator(operator_account(control_plane), webhook=True)
    wait_for(running.is_leading)
    yield running
    assert running.stop() == 0
    forget_operator(control_plane)


@pytest.fixture
def account(control_plane: ControlPlane) -> Iterator[Path]:
    """The kubeconfig of the operator's account, for tests that run operators of their own."""
    yield operator_account(control_plane)
    forget_operator(control_plane)


@pytest.fixture
def shop(cluster: Cluster) -> Shop:
    """The test's namespace, as users of the operator see it."""
    return Shop(cluster)


@pytest.fixture
def other(control_plane: ControlPlane) -> Iterator[Shop]:
    """Another fresh namespace."""
    with fresh_namespace(control_plane) as name:
        made = Cluster(control_plane, name)
        yield Shop(made)
        made.forget_connection()


@pytest.fixture
def shop_pod(shop: Shop) -> Iterator[Callable[..., GatewayPod]]:
    """Starts pods of the shop's gateway; ends them with the test."""
    pods: list[GatewayPod] = []

    def start(*given: object, **options: object) -> GatewayPod:
        pods.append(shop.pod(*given, **options))  # type: ignore[arg-type]
        wait_for(pods[-1].is_ready)
        return pods[-1]

    yield start
    for pod in pods:
        if pod.process.poll() is None:
            pod.stop()


def forget_operator(plane: ControlPlane) -> None:
    """Undo what an operator leaves for its other replicas, and what one that was killed leaves."""
    delete = ("delete", "--ignore-not-found", "--namespace", OWN_NAMESPACE)
    plane.kubectl_output(*delete, "validatingwebhookconfiguration/penstock", "lease/penstock-operator")


@contextmanager
def fresh_namespace(plane: ControlPlane) -> Iterator[str]:
    """Makes a namespace; what it holds goes with the block."""
    name = f"test-{secrets.token_hex(4)}"
    plane.kubectl_output("create", "namespace", name)
    yield name
    plane.kubectl_output("delete", CONTENTS, "--all", "--namespace", name, "--wait=false")
    plane.kubectl_output("delete", "namespace", name, "--wait=false")
    _finalize(plane, name)


def _as_yaml(objects: Objects) -> str:
    """Manifests as kubectl reads them."""
    if isinstance(objects, str):
        return objects
    return yaml.safe_dump_all(objects if isinstance(objects, list) else [objects])


def _finalize(control_plane: ControlPlane, name: str) -> None:
    """What the controller manager would do when a namespace is empty: without it the namespace would stay."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    path = f"/api/v1/namespaces/{name}/finalize"
    body = json.dumps({**namespace, "spec": {"finalizers": []}})
    control_plane.kubectl_output("replace", "--raw", path, "-f", "-", input=body)
