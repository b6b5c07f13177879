"""A pod serves what its cluster publishes, follows every change, and says so in its Lease."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
from gateway_pod import GATEWAY, Cluster, GatewayPod, api, load, wait_for

from gateway_runtime.snapshot.codec import api_entry, digest, text_digest
from gateway_runtime.snapshot.parts import MAX_PART, Part, section_parts

StartPod = Callable[..., GatewayPod]


def test_a_pod_waits_for_its_configuration_and_then_serves_it(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    wait_for(lambda: pod.tell("/healthz") == (200, "ok\n"))
    wait_for(lambda: pod.tell("/readyz") == (503, f"nothing is published for the gateway {GATEWAY}\n"))
    assert cluster.lease(pod.name) is None
    cluster.publish(api("orders", "v1"), gateway=pod.section)
    wait_for(pod.is_ready)
    assert pod.get("/orders") == (200, "v1")


def test_a_pod_serves_what_was_published_before_it(cluster: Cluster, start_pod: StartPod) -> None:
    first = start_pod()
    cluster.publish(*[api(f"api-{number}", f"v{number}") for number in range(5)], gateway=first.section)
    wait_for(first.is_ready)
    first.stop()
    second = start_pod(name="edge-1")
    section = msgspec.structs.replace(first.section, listeners=second.section.listeners)
    cluster.publish(*[api(f"api-{number}", f"v{number}") for number in range(5)], gateway=section)
    wait_for(second.is_ready)
    assert [second.get(f"/api-{number}")[1] for number in range(5)] == [f"v{number}" for number in range(5)]


def test_the_lease_tells_what_all_workers_serve(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    version = cluster.publish(api("orders", "v1"), api("bad", "{#no such"), gateway=pod.section)
    wait_for(lambda: cluster.told(pod.name)[0] >= version)
    lease = cluster.lease(pod.name)
    assert lease is not None
    metadata, spec = lease["metadata"], lease["spec"]
    assert metadata["labels"] == {"penstock.dev/gateway": GATEWAY, "app.kubernetes.io/managed-by": "penstock"}
    assert set(metadata["annotations"]) == {"penstock.dev/resource-version", "penstock.dev/errors"}
    # A list or a bookmark may have told of a later moment, at which nothing else has changed.
    assert int(metadata["annotations"]["penstock.dev/resource-version"]) >= version
    errors = json.loads(metadata["annotations"]["penstock.dev/errors"])
    assert list(errors) == ["shop/bad"]
    assert "ExpressionError" in errors["shop/bad"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == (pod.name, 30)
    age = datetime.now(UTC) - datetime.fromisoformat(spec["renewTime"])
    assert 0 <= age.total_seconds() < 10


def test_edits_are_followed_under_load_without_a_failed_request(
    cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.publish(api("orders", "v0"), api("other", "same"), gateway=pod.section)
    wait_for(pod.is_ready)
    with load(pod, "/orders") as answers:
        for number in range(1, 21):
            version = cluster.publish(api("orders", f"v{number}"), api("other", "same"), gateway=pod.section)
            wait_for(lambda told=version: cluster.told(pod.name)[0] >= told)
            assert pod.get("/orders") == (200, f"v{number}")
    assert {status for status, _ in answers} == {200}
    assert {body for _, body in answers} >= {"v0", "v20"}


def test_a_large_api_is_served_only_whole(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    filler = {"text": "é" * MAX_PART}
    cluster.publish(api("large", "v1", properties=filler), gateway=pod.section)
    wait_for(pod.is_ready)
    assert pod.get("/large") == (200, "v1")
    new = api("large", "v2", properties=filler)
    *parts, last = section_parts("api", "shop/large", digest(new), new)
    assert parts
    version = max(cluster.write(part) for part in parts)
    wait_for(lambda: cluster.told(pod.name)[0] >= version)
    assert cluster.told(pod.name)[1] == {"shop/large": "parts of the section `api` are missing"}
    assert pod.get("/large") == (200, "v1")
    version = cluster.write(last)
    wait_for(lambda: cluster.told(pod.name)[0] >= version and not cluster.told(pod.name)[1])
    assert pod.get("/large") == (200, "v2")


def test_a_deleted_api_is_gone(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    cluster.publish(api("orders", "v1"), api("other", "v1"), gateway=pod.section)
    wait_for(pod.is_ready)
    cluster.publish(api("other", "v1"), gateway=pod.section)
    wait_for(lambda: pod.get("/orders")[0] == 404)
    assert pod.get("/other") == (200, "v1")


def newer_part(section_name: str) -> Part:
    """A section as a later version of the wire might write it."""
    entry = api_entry(api(section_name, "v9"))
    (part,) = section_parts("api", f"shop/{section_name}", entry.digest, entry.section)
    text = part.data[:-1] + ',"future":1}'
    return replace(part, data=text, digest=text_digest(text.encode()))


def test_a_section_of_a_newer_version_leaves_the_last_good_one(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    cluster.publish(api("orders", "v1"), api("other", "v1"), gateway=pod.section)
    wait_for(pod.is_ready)
    version = cluster.write(newer_part("orders"))
    wait_for(lambda: cluster.told(pod.name)[0] >= version)
    errors = cluster.told(pod.name)[1]
    assert list(errors) == ["shop/orders"]
    assert "this version cannot read the section `api`" in errors["shop/orders"]
    assert pod.get("/orders") == (200, "v1")


def test_a_killed_worker_is_replaced_by_one_that_serves_the_newest(
    cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.publish(api("orders", "v1"), gateway=pod.section)
    wait_for(pod.is_ready)
    before = pod.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    version = cluster.publish(api("orders", "v2"), gateway=pod.section)
    wait_for(lambda: cluster.told(pod.name)[0] >= version and not cluster.told(pod.name)[1])
    assert len(set(pod.workers()) - set(before)) == 1
    assert [pod.get("/orders") for _ in range(20)] == [(200, "v2")] * 20


def test_a_pod_that_ends_takes_its_lease_away(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    cluster.publish(api("orders", "v1"), gateway=pod.section)
    wait_for(lambda: cluster.lease(pod.name) is not None)
    assert pod.stop() == 0
    assert cluster.lease(pod.name) is None


def test_a_taken_port_is_told_and_bound_once_it_is_free(cluster: Cluster, start_pod: StartPod) -> None:
    pod, other = start_pod(), start_pod(name="edge-1")
    cluster.publish(api("orders", "v1"), gateway=pod.section)
    wait_for(lambda: pod.is_ready() or other.is_ready())
    wait_for(lambda: cluster.lease(pod.name) and cluster.lease(other.name))
    errors = {name: cluster.told(name)[1].get("", "") for name in (pod.name, other.name)}
    loser = pod if errors[pod.name] else other
    winner = other if loser is pod else pod
    assert "cannot bind" in errors[loser.name]
    assert errors[winner.name] == ""
    winner.stop()
    wait_for(lambda: cluster.told(loser.name)[1] == {})
    assert loser.get("/orders") == (200, "v1") or winner.get("/orders") == (200, "v1")
