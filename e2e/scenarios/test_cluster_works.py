"""The cluster itself: what every other scenario takes for granted, with pods as hardened as Penstock's."""

import urllib.request
from pathlib import Path

import pytest

from e2e.components.waiting import wait_until
from e2e.providers.cluster import Cluster

WEB = Path(__file__).with_name("web.yaml").read_text(encoding="utf-8")

ASK_WEB = "import urllib.request as r; print(r.urlopen('http://web/hostname', timeout=5).read().decode())"
ASK_API = """
import os, ssl, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount/"
context = ssl.create_default_context(cafile=folder + "ca.crt")
headers = {"Authorization": "Bearer " + open(folder + "token").read()}
request = urllib.request.Request("https://kubernetes.default.svc/apis", headers=headers)
print(urllib.request.urlopen(request, context=context, timeout=5).status)
"""


@pytest.fixture
def web(cluster: Cluster, namespace: str, python_image: str) -> str:
    """Two hardened pods behind a Service `web`, Ready."""
    cluster.kubectl_output("apply", "-n", namespace, "-f", "-", input=WEB.replace("$IMAGE", python_image))
    cluster.kubectl_output("rollout", "status", "-n", namespace, "deployment/web", "--timeout=50s")
    # The Service follows the pods' readiness only a moment later.
    url = url_from_here(cluster, namespace)
    pods, answered = pod_names(cluster, namespace), set[str]()

    def both_answered() -> bool:
        answered.add(answer(url))
        return answered >= pods

    wait_until("both pods behind the Service", both_answered)
    return namespace


def pod_names(cluster: Cluster, namespace: str) -> set[str]:
    names = cluster.kubectl_output("get", "pods", "-n", namespace, "-o", "jsonpath={.items[*].metadata.name}")
    return set(names.split())


def in_pod(cluster: Cluster, namespace: str, program: str) -> str:
    command = ["exec", "-n", namespace, "deployment/web", "--", "python3", "-c", program]
    return cluster.kubectl_output(*command).strip()


def url_from_here(cluster: Cluster, namespace: str) -> str:
    path = "jsonpath={.spec.ports[0].nodePort}"
    port = cluster.kubectl_output("get", "service", "web", "-n", namespace, "-o", path)
    return f"http://{cluster.address}:{port}/hostname"


def answer(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return str(response.read().decode()).strip()
    except OSError:
        return ""


def restarts(cluster: Cluster, namespace: str) -> list[int]:
    path = "jsonpath={.items[*].status.containerStatuses[*].restartCount}"
    return [
        int(count) for count in cluster.kubectl_output("get", "pods", "-n", namespace, "-o", path).split()
    ]


def test_a_pod_reaches_another_by_the_name_of_its_service(cluster: Cluster, web: str) -> None:
    answered = {in_pod(cluster, web, ASK_WEB) for _ in range(12)}
    assert answered == pod_names(cluster, web)


def test_this_machine_reaches_a_node_port(cluster: Cluster, web: str) -> None:
    assert answer(url_from_here(cluster, web)) in pod_names(cluster, web)


def test_a_pod_reaches_the_api_server_with_its_service_account(cluster: Cluster, web: str) -> None:
    assert in_pod(cluster, web, ASK_API) == "200"


def test_kubectl_shows_the_log_of_a_pod(cluster: Cluster, web: str) -> None:
    in_pod(cluster, web, ASK_WEB)
    logs = cluster.kubectl_output("logs", "-n", web, "--selector=app=web", "--tail=-1")
    assert "GET /hostname" in logs


def test_a_rolling_restart_replaces_all_pods(cluster: Cluster, web: str) -> None:
    before = pod_names(cluster, web)
    cluster.kubectl_output("rollout", "restart", "-n", web, "deployment/web")
    cluster.kubectl_output("rollout", "status", "-n", web, "deployment/web", "--timeout=50s")
    command = ["get", "pods", "-n", web, "--field-selector=status.phase=Running", "-o", "name"]
    wait_until("the old pods' end", lambda: not before & pod_names(cluster, web))
    assert len(cluster.kubectl_output(*command).split()) == 2


def test_killed_containers_are_started_again(cluster: Cluster, web: str) -> None:
    before = pod_names(cluster, web)
    assert cluster.kill_node_containers(web) == 4  # two containers, and the sandboxes of two pods
    wait_until("restarted containers", lambda: all(restarts(cluster, web)))
    cluster.kubectl_output("wait", "-n", web, "--for=condition=Ready", "pods", "--all", "--timeout=50s")
    assert pod_names(cluster, web) == before


def test_pods_answer_while_the_api_server_is_away(cluster: Cluster, web: str) -> None:
    url = url_from_here(cluster, web)
    cluster.stop_api_server()
    try:
        assert cluster.kubectl("get", "--raw=/readyz").returncode != 0
        answered = answer(url)
    finally:
        cluster.start_api_server()
    assert answered in pod_names(cluster, web)
