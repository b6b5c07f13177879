"""Pods are rolled where their own fields change, and for nothing else."""

from pathlib import PurePosixPath
from typing import Any

import pytest
from deployments import CONTEXT, gateway

from gateway_runtime.snapshot.providers import token_path
from penstock_operator.deploy.context import DeployContext
from penstock_operator.deploy.pods import pod_template


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 7},
        {"tags": ["public"]},
        {"flows": [{"name": "all"}]},
        {"limits": {"body": "1Mi"}},
        {"timeouts": {"header": "1s"}},
        {"trustedProxies": ["10.0.0.0/8"]},
        {"service": {"type": "NodePort"}},
        {"networkPolicy": {"enabled": False}},
        {"accessLog": {"enabled": False}},
        {"apis": {"namespaces": {"from": "Same"}}},
    ],
)
def test_what_pods_follow_while_they_run_does_not_roll_them(spec: dict[str, Any]) -> None:
    assert pod_template(gateway(**spec), CONTEXT) == pod_template(gateway(), CONTEXT)


@pytest.mark.parametrize(
    "spec",
    [{"workers": 2}, {"timeouts": {"drain": "1m"}}, {"listeners": [{"name": "http", "port": 80}]}],
)
def test_what_pods_are_started_with_rolls_them(spec: dict[str, Any]) -> None:
    assert pod_template(gateway(**spec), CONTEXT) != pod_template(gateway(), CONTEXT)


def test_the_operators_image_is_run_where_none_is_named() -> None:
    upgraded = DeployContext(image="penstock:next")

    assert image(pod_template(gateway(), upgraded)) == "penstock:next"
    assert image(pod_template(gateway(image="mine:1"), upgraded)) == "mine:1"


@pytest.mark.parametrize(
    ("resources", "workers"),
    [
        ({}, 1),
        ({"limits": {"cpu": "2500m"}}, 3),
        ({"requests": {"cpu": 2}}, 2),
        ({"requests": {"cpu": 2}, "limits": {"cpu": 4}}, 4),
        ({"requests": {}}, 1),
    ],
)
def test_there_are_as_many_workers_as_the_pod_has_cpus(resources: dict[str, Any], workers: int) -> None:
    template = pod_template(gateway(podTemplate={"resources": resources}), CONTEXT)

    assert f"--workers={workers}" in template["spec"]["containers"][0]["args"]


def test_the_users_labels_do_not_replace_those_that_choose_pods() -> None:
    labels = {"app.kubernetes.io/instance": "mine", "team": "edge"}
    template = pod_template(gateway(podTemplate={"labels": labels}), CONTEXT)

    assert template["metadata"]["labels"]["app.kubernetes.io/instance"] == "edge"
    assert template["metadata"]["labels"]["team"] == "edge"


def test_a_pod_has_the_time_to_drain() -> None:
    drain = gateway(timeouts={"drain": "20s"}, podTemplate={"drainDelay": "1500ms"})

    assert pod_template(drain, CONTEXT)["spec"]["terminationGracePeriodSeconds"] == 27


def image(template: dict[str, Any]) -> str:
    return str(template["spec"]["containers"][0]["image"])


def test_a_token_for_vault_is_mounted_where_the_runtime_looks_for_it() -> None:
    auths = {
        "pods": {"kubernetes": {"role": "edge", "audience": "vault"}},
        "b" * 63: {"jwt": {"role": "edge", "audience": "bao"}},
        "own-token": {"kubernetes": {"role": "edge"}},
    }
    providers = [
        {"name": name, "vault": {"address": "https://vault", "auth": auth}} for name, auth in auths.items()
    ]

    spec = pod_template(gateway(secretProviders=providers), CONTEXT)["spec"]

    mounts = {one["name"]: one["mountPath"] for one in spec["containers"][0]["volumeMounts"][1:]}
    tokens = {
        PurePosixPath(mounts[volume["name"]], source["path"]): source["audience"]
        for volume in spec["volumes"][1:]
        for source in [volume["projected"]["sources"][0]["serviceAccountToken"]]
    }
    assert tokens == {
        PurePosixPath("/var/run/secrets", token_path("pods")): "vault",
        PurePosixPath("/var/run/secrets", token_path("b" * 63)): "bao",
    }
    assert all(len(name) <= 63 for name in mounts)
