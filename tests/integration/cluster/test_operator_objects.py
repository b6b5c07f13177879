"""What the operator keeps in the cluster: its objects against drift, statuses, Events, history, admission."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import pytest
from gateway_pod import GatewayPod
from operator_process import PENSTOCK, RBAC, Operator, Shop, answers, penstock, wait_for

StartPod = Callable[..., GatewayPod]
OWN_KINDS = ("apps/v1:deployments", "services", f"{RBAC}:roles", f"{RBAC}:rolebindings", "serviceaccounts")


@pytest.fixture(autouse=True)
def _running(operator: Operator) -> None:
    """All tests here are of one operator."""


def served_publicly(shop: Shop) -> None:
    """The gateway with all of its kinds of objects: a Service needs a port that is not on loopback."""
    shop.gateway(listeners=[{"name": "http", "port": shop.port}], replicas=2)
    wait_for(lambda: all("edge" in shop.names(kind) for kind in OWN_KINDS))


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_an_object_deleted_by_hand_comes_back(shop: Shop, kind: str) -> None:
    served_publicly(shop)
    uid = shop.get(f"{kind}/edge")["metadata"]["uid"]  # type: ignore[index]
    shop.cluster.delete(f"{kind}/edge")
    wait_for(lambda: (found := shop.get(f"{kind}/edge")) and found["metadata"]["uid"] != uid)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("apps/v1:deployments/edge", {"spec": {"replicas": 7}}),
        ("services/edge", {"metadata": {"labels": {"penstock.dev/gateway": "stolen"}}}),
        (f"{RBAC}:roles/edge", {"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]}),
    ],
)
def test_a_change_by_hand_is_undone(shop: Shop, path: str, change: dict[str, object]) -> None:
    served_publicly(shop)
    before = shop.get(path)
    assert before is not None
    part = "rules" if "rules" in change else "spec"
    group, _, rest = path.rpartition(":")
    kind = {"deployments": "Deployment", "services": "Service", "roles": "Role"}[rest.split("/")[0]]
    named = {"name": "edge", **change.get("metadata", {})}  # type: ignore[dict-item]
    shop.cluster.apply(path, {"apiVersion": group or "v1", "kind": kind, **change, "metadata": named})

    def is_undone() -> bool:
        now = shop.get(path)
        assert now is not None
        kept = now[part] == before[part] and now["metadata"]["labels"] == before["metadata"]["labels"]
        return bool(kept and now["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"])

    wait_for(is_undone)


def test_what_is_published_comes_back_when_it_is_edited_or_deleted(shop: Shop, shop_pod: StartPod) -> None:
    shop.open("orders")
    pod = shop_pod()
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    maps = sorted(name for name in shop.names("configmaps") if name.startswith("edge-"))
    before = {name: shop.get(f"configmaps/{name}")["data"] for name in maps}  # type: ignore[index]
    for name, data in before.items():
        forged = dict.fromkeys(data, "forged")
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": forged}
        shop.cluster.apply(f"configmaps/{name}", manifest)
        wait_for(lambda name=name, data=data: shop.get(f"configmaps/{name}")["data"] == data)  # type: ignore[index,misc]
        shop.cluster.delete(f"configmaps/{name}")
        wait_for(lambda name=name: shop.get(f"configmaps/{name}"))  # type: ignore[misc]
        wait_for(answers(pod, "/orders", (200, "v1")))


@pytest.mark.parametrize("path", ["serviceaccounts/edge", "configmaps/edge-gateway-1", "secrets/edge-pepper"])
def test_an_object_of_others_with_its_name_is_told_and_never_touched(shop: Shop, path: str) -> None:
    kind = {"s": "ServiceAccount", "c": "ConfigMap"}.get(path[0], "Secret")
    kind = "Secret" if path.startswith("secrets") else kind
    shop.cluster.apply(path, {"apiVersion": "v1", "kind": kind, "metadata": {"name": path.split("/")[1]}})
    before = shop.get(path)
    shop.open("orders")
    wait_for(lambda: shop.condition("GatewayDeployment", "edge", "Programmed") == ("False", "NameTaken"))
    told = next(
        one["message"]
        for one in shop.status("GatewayDeployment", "edge")["conditions"]
        if one["type"] == "Programmed"
    )
    assert f"{kind} {shop.namespace}/{path.split('/')[1]}" in told
    wait_for(lambda: ("Warning", "NameTaken") in shop.events("edge"))
    assert shop.get(path) == before
    shop.cluster.delete(path)
    wait_for(lambda: shop.condition("GatewayDeployment", "edge", "Programmed")[1] != "NameTaken")
    wait_for(lambda: (found := shop.get(path)) and found["metadata"].get("ownerReferences"))


def test_an_autoscaler_may_change_the_number_of_pods(shop: Shop, operator: Operator) -> None:
    shop.gateway(replicas=None, autoscaling={"minReplicas": 2, "maxReplicas": 5})
    wait_for(lambda: "edge" in shop.names("autoscaling/v2:horizontalpodautoscalers"))
    wait_for(lambda: shop.get("apps/v1:deployments/edge"))
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge"}}
    shop.cluster.apply("apps/v1:deployments/edge", {**scaled, "spec": {"replicas": 4}})
    wait_for(lambda: shop.status("GatewayDeployment", "edge").get("pods") == "0/4")
    assert shop.get("apps/v1:deployments/edge")["spec"]["replicas"] == 4  # type: ignore[index]


def test_conditions_follow_the_generation_and_the_pods(shop: Shop, shop_pod: StartPod) -> None:
    shop.open("orders")
    wait_for(lambda: shop.condition("ApiDefinition", "orders", "Programmed") == ("False", "NoPods"))
    shop_pod()
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders") and shop.is_ready("Plan", "orders"))
    generation = shop.api("orders", "v2")["metadata"]["generation"]
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    status = shop.status("ApiDefinition", "orders")
    assert status["observedGeneration"] == generation == 2
    assert [one["type"] for one in status["conditions"]] == [
        "Accepted",
        "ResolvedRefs",
        "Programmed",
        "Ready",
    ]
    status = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge"}}
    status["status"] = {"replicas": 1, "readyReplicas": 1}  # type: ignore[assignment]
    shop.cluster.apply("apps/v1:deployments/edge/status", status)
    wait_for(lambda: shop.is_ready("GatewayDeployment", "edge"))
    assert shop.status("GatewayDeployment", "edge")["pods"] == "1/1"


def test_kubectl_shows_what_matters_of_all_kinds(shop: Shop, shop_pod: StartPod) -> None:
    shop.gateway()
    shop.api("orders")
    shop.plan("gold", {"apiKey": {}}, "orders")
    shop.subscription("mobile", "gold")
    shop_pod()
    wait_for(lambda: shop.is_ready("Subscription", "mobile") and shop.is_ready("ApiDefinition", "orders"))
    printed = shop.cluster.plane.kubectl_output("get", "penstock", "-A")
    rows = [line.split() for line in printed.splitlines() if shop.namespace in line]
    shown = {row[1].split(".")[0] + "/" + row[1].split("/")[1]: row[2:-1] for row in rows}
    assert shown["apidefinition/orders"][-3:] == ["1/1", "True", "True"]
    assert shown["subscription/mobile"] == ["gold", "app", "orders", "NotNeeded", "True"]
    assert shown["plan/gold"][:1] == ["orders"]
    assert "gatewaydeployment/edge" in shown


def test_events_tell_transitions_and_nothing_else(shop: Shop, shop_pod: StartPod) -> None:
    shop.open("orders")
    shop_pod()
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    shop.api("orders", "v2")
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    shop.break_api("orders")
    wait_for(lambda: shop.condition("ApiDefinition", "orders", "ResolvedRefs")[0] == "False")
    reason = shop.condition("ApiDefinition", "orders", "ResolvedRefs")[1]
    shop.api("orders", "v3")
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    told = [one for one in shop.events("orders") if one[1] != "NoPods"]
    assert told.count(("Normal", "Programmed")) >= 1
    assert told.count(("Warning", reason)) == 1
    assert len(told) <= 6, told


def test_one_edit_is_four_writes_and_nothing_is_written_without_one(
    shop: Shop, shop_pod: StartPod, operator: Operator
) -> None:
    shop.open("orders")
    shop_pod()
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders") and shop.is_ready("Plan", "orders"))
    wait_for(lambda: len(shop.names("apps/v1:controllerrevisions")) == 1)
    before = _writes_so_far(operator)
    shop.annotate("ApiDefinition", "orders", nothing="new")
    shop.cluster.secret("unrelated", key=b"value")
    shop.api("orders", "v2")
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    wait_for(lambda: len(shop.names("apps/v1:controllerrevisions")) == 2)
    # ConfigMap, ControllerRevision, status: the fourth is the Lease of the pod.
    assert _writes_so_far(operator) - before == 3


def _writes_so_far(operator: Operator) -> float:
    """What it has written once it writes no more: nothing for a second; it gathers for a tenth of one."""
    last, since = operator.writes(), monotonic()

    def is_at_rest() -> bool:
        nonlocal last, since
        now = operator.writes()
        if now != last:
            last, since = now, monotonic()
        return monotonic() - since > 1

    wait_for(is_at_rest)
    return last


def test_accepted_generations_are_kept_up_to_the_limit(shop: Shop) -> None:
    shop.open("orders")
    for number in range(1, 5):
        newest = f"answer {number}"
        shop.api("orders", newest, revisionHistoryLimit=2)
        wait_for(lambda text=newest: text in str(shop.cluster.call("GET", "apps/v1:controllerrevisions")[1]))
    wait_for(lambda: len(shop.names("apps/v1:controllerrevisions")) == 2)
    found = shop.cluster.call("GET", "apps/v1:controllerrevisions")[1]["items"]
    assert sorted(one["revision"] for one in found)[-1] >= 4


def test_a_rollback_takes_effect(shop: Shop, shop_pod: StartPod) -> None:
    shop.open("orders")
    pod = shop_pod()
    # What another version follows before the operator sees it is not kept.
    wait_for(lambda: len(shop.names("apps/v1:controllerrevisions")) == 1)
    shop.api("orders", "v2")
    wait_for(answers(pod, "/orders", (200, "v2")))
    wait_for(lambda: len(shop.names("apps/v1:controllerrevisions")) == 2)
    options = ("orders", "-n", shop.namespace, "--to-revision", "1")
    penstock("rollback", *options, kubeconfig=shop.cluster.plane.kubeconfig)
    wait_for(answers(pod, "/orders", (200, "v1")))


def test_a_broken_edit_leaves_the_last_good_version_in_service(shop: Shop, shop_pod: StartPod) -> None:
    shop.open("orders")
    pod = shop_pod()
    wait_for(lambda: shop.is_ready("ApiDefinition", "orders"))
    shop.break_api("orders")
    wait_for(lambda: shop.condition("ApiDefinition", "orders", "Programmed") == ("False", "NotAccepted"))
    assert answers(pod, "/orders", (200, "v1"))()


def test_a_path_conflict_is_refused_at_apply(shop: Shop) -> None:
    shop.open("orders")
    wait_for(lambda: "RouteConflict" in shop.try_other("orders", dryRun="All")[1])
    assert "RouteConflict" in shop.try_other("orders")[1]
    assert shop.get(f"{PENSTOCK}:apidefinitions/other") is None
