"""A pod whose API server goes away serves on, and finds what has changed once it is back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from api_outages import compact, outage
from gateway_pod import Cluster, GatewayPod, api, load, wait_for
from severable import Link

StartPod = Callable[..., GatewayPod]
FORGOTTEN_FOR = 180.0
"""Seconds in which a pod gives up a watch that says nothing any more; it is given 100."""


def test_a_pod_serves_on_without_its_api_server_and_follows_it_again(
    cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.grant("backend")
    cluster.secret("backend", token=b"value-1")
    secured = api("secured", "v1", secret=cluster.reference("backend"))
    cluster.publish(api("orders", "v1"), api("doomed", "v1"), secured, gateway=pod.section)
    wait_for(pod.is_ready)
    with load(pod, "/orders") as answers:
        with outage(cluster):
            wait_for(lambda: "the Lease cannot be written" in pod.log())
            os.kill(pod.workers()[0], signal.SIGKILL)
            wait_for(lambda: pod.is_ready() and len(pod.workers()) == 2)
            assert pod.get("/secured") == (200, "v1 value-1")
        answers_in_outage = len(answers)
        cluster.secret("backend", token=b"value-2")
        version = cluster.publish(api("orders", "v2"), secured, gateway=pod.section)
        wait_for(lambda: cluster.told(pod.name) == (version, {}) or pod.get("/doomed")[0] == 404)
        wait_for(lambda: pod.get("/doomed")[0] == 404)
        wait_for(lambda: pod.get("/orders") == (200, "v2"))
        wait_for(lambda: pod.get("/secured") == (200, "v1 value-2"))
    assert answers_in_outage > 100
    wait_for(lambda: cluster.told(pod.name)[0] >= version and cluster.told(pod.name)[1] == {})


def test_what_was_deleted_while_a_pod_could_not_watch_is_found_by_a_new_list(
    cluster: Cluster, start_pod: StartPod
) -> None:
    """The history that the pod has missed is compacted away: the API server answers 410 Gone."""
    pod = start_pod()
    cluster.publish(api("orders", "v1"), api("doomed", "v1"), gateway=pod.section)
    wait_for(pod.is_ready)
    pod.process.send_signal(signal.SIGSTOP)
    with outage(cluster):
        pass  # the watch ends here: nothing of what follows waits in its connection
    cluster.publish(api("orders", "v2"), gateway=pod.section)
    with outage(cluster):
        compact(cluster)
    assert pod.get("/orders") == (200, "v1")
    pod.process.send_signal(signal.SIGCONT)
    wait_for(lambda: pod.get("/doomed")[0] == 404)
    wait_for(lambda: pod.get("/orders") == (200, "v2"))
    assert "listed anew" in pod.log()


def test_a_pod_that_starts_without_an_api_server_waits_for_it(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    section = pod.section
    cluster.publish(api("orders", "v1"), gateway=section)
    wait_for(pod.is_ready)
    pod.stop()
    with outage(cluster):
        again = start_pod(name="edge-1")
        wait_for(lambda: "ClientConnectorError" in again.tell("/readyz")[1])
        assert again.tell("/healthz") == (200, "ok\n")
    wait_for(again.is_ready)


@pytest.mark.slow
def test_what_changes_behind_connections_that_are_dead_without_a_word_is_found(
    cluster: Cluster, link: Link
) -> None:
    kubeconfig = link.lead(cluster.kubeconfig())
    cluster.grant()
    pod = GatewayPod(cluster, kubeconfig)
    try:
        cluster.publish(api("orders", "v1"), api("doomed", "v1"), gateway=pod.section)
        wait_for(pod.is_ready)
        link.forget()
        version = cluster.publish(api("orders", "v2"), gateway=pod.section)
        wait_for(lambda: pod.get("/doomed")[0] == 404, FORGOTTEN_FOR)
        wait_for(lambda: pod.get("/orders") == (200, "v2"))
        cluster.forget_connection()  # it was idle for as long as the API server waits
        wait_for(lambda: cluster.told(pod.name)[0] >= version)
    finally:
        pod.stop()
