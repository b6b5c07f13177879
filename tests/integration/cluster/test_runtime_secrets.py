"""Secrets of a pod: read by their exact name, followed, waited for, and told of when they are missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256

import msgspec
from gateway_pod import Cluster, GatewayPod, api, load, wait_for

from gateway_runtime.snapshot.keys import key_digest
from gateway_runtime.snapshot.types import ApiKeySecurity, Plan, Subscription, SubscriptionsSection

StartPod = Callable[..., GatewayPod]
PEPPER = bytes(range(224, 256))
"""Bytes that are no text."""


def test_a_new_api_waits_a_moment_for_its_secret_and_holds_up_no_other(
    cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.grant("backend")
    cluster.publish(api("orders", "v1"), gateway=pod.section)
    wait_for(pod.is_ready)
    with_secret = api("secured", "v1", secret=cluster.reference("backend"))
    version = cluster.publish(api("orders", "v2"), with_secret, gateway=pod.section)
    wait_for(lambda: cluster.told(pod.name)[0] >= version)
    assert pod.get("/orders") == (200, "v2")
    assert pod.get("/secured")[0] == 404
    name = f"{cluster.namespace}/backend"
    wait_for(lambda: cluster.told(pod.name)[1] == {"shop/secured": f"Secret {name}: it is not there"})
    wait_for(lambda: pod.get("/secured")[0] == 503, patience=4.0)
    cluster.secret("backend", token=b"value-1")
    wait_for(lambda: pod.get("/secured") == (200, "v1 value-1"))
    wait_for(lambda: cluster.told(pod.name)[1] == {})


def test_a_pod_that_starts_is_ready_once_the_apis_with_secrets_serve(
    cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.grant("backend")
    secured = api("secured", "v1", secret=cluster.reference("backend"))
    cluster.publish(secured, gateway=pod.section)
    wait_for(lambda: pod.tell("/readyz") == (503, "waits for secrets\n"))
    waited = time.monotonic() + 1.0
    while time.monotonic() < waited:
        assert pod.tell("/readyz") == (503, "waits for secrets\n")
    cluster.secret("backend", token=b"value-1")
    wait_for(pod.is_ready)
    assert pod.get("/secured") == (200, "v1 value-1")


def test_a_rotated_secret_is_followed_under_load(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    cluster.grant("backend")
    cluster.secret("backend", token=b"value-1")
    cluster.publish(api("secured", "v1", secret=cluster.reference("backend")), gateway=pod.section)
    wait_for(pod.is_ready)
    with load(pod, "/secured") as answers:
        cluster.secret("backend", token=b"value-2")
        wait_for(lambda: (200, "v1 value-2") in answers)
    assert set(answers) <= {(200, "v1 value-1"), (200, "v1 value-2")}
    assert "value-" not in pod.log()


def test_a_forbidden_secret_is_told_and_read_once_the_right_is_there(
    cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.secret("backend", token=b"value-1")
    cluster.publish(api("secured", "v1", secret=cluster.reference("backend")), gateway=pod.section)
    wait_for(lambda: pod.get("/secured")[0] == 503)
    wait_for(lambda: "forbidden" in cluster.told(pod.name)[1].get("shop/secured", ""))
    cluster.grant("backend")
    wait_for(lambda: pod.get("/secured") == (200, "v1 value-1"))
    wait_for(lambda: cluster.told(pod.name)[1] == {})


def test_an_api_that_serves_keeps_its_last_good_section_while_a_new_secret_is_missing(
    cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.grant("old", "new")
    cluster.secret("old", token=b"value-1")
    cluster.publish(api("secured", "v1", secret=cluster.reference("old")), gateway=pod.section)
    wait_for(pod.is_ready)
    version = cluster.publish(api("secured", "v2", secret=cluster.reference("new")), gateway=pod.section)
    wait_for(lambda: cluster.told(pod.name)[0] >= version)
    waited = time.monotonic() + 3.0
    wait_for(lambda: pod.get("/secured") != (200, "v1 value-1") or time.monotonic() > waited)
    assert pod.get("/secured") == (200, "v1 value-1")
    cluster.secret("old", token=b"value-2")
    wait_for(lambda: pod.get("/secured") == (200, "v1 value-2"))
    assert list(cluster.told(pod.name)[1]) == ["shop/secured"]
    cluster.secret("new", token=b"value-3")
    wait_for(lambda: pod.get("/secured") == (200, "v2 value-3"))
    wait_for(lambda: cluster.told(pod.name)[1] == {})


def test_a_deleted_secret_takes_no_served_api_down(cluster: Cluster, start_pod: StartPod) -> None:
    pod = start_pod()
    cluster.grant("backend")
    cluster.secret("backend", token=b"value-1")
    secured = api("secured", "v1", secret=cluster.reference("backend"))
    cluster.publish(secured, gateway=pod.section)
    wait_for(pod.is_ready)
    cluster.delete("secrets/backend")
    wait_for(lambda: "is gone: its last values are used on" in pod.log())
    version = cluster.publish(secured, api("other", "v1"), gateway=pod.section)
    wait_for(lambda: cluster.told(pod.name) == (version, {}))
    assert pod.get("/secured") == (200, "v1 value-1")


def test_keys_of_peppered_digests_open_once_the_pepper_is_there(
    cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.grant("edge-pepper")
    digest = key_digest(sha256(b"demo-key-of-mobile").hexdigest(), PEPPER)
    mobile = Subscription(name="mobile", plan="gold", application="mobile", key_digests=(digest,))
    published = (
        api("open", "v1"),
        api("keys", "v1", plans=(Plan(name="gold", security=ApiKeySecurity()),)),
        SubscriptionsSection(api="shop/keys", subscriptions=(mobile,)),
    )
    gateway = msgspec.structs.replace(pod.section, key_pepper=cluster.reference("edge-pepper", "pepper"))
    cluster.publish(*published, gateway=gateway)
    wait_for(lambda: pod.get("/open") == (200, "v1"))
    wait_for(lambda: pod.get("/keys", x_api_key="demo-key-of-mobile")[0] == 503)
    wait_for(lambda: set(cluster.told(pod.name)[1]) == {"", "shop/keys"})
    cluster.secret("edge-pepper", pepper=PEPPER)
    wait_for(lambda: pod.get("/keys", x_api_key="demo-key-of-mobile") == (200, "v1"))
    assert pod.get("/keys", x_api_key="demo-key-of-nobody")[0] == 401
    wait_for(lambda: cluster.told(pod.name)[1] == {})
