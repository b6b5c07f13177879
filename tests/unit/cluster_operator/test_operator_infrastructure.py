"""Gateways and the objects that are there -> the objects to apply and to delete."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import pytest
from cluster_world import BROKEN, World, api, gateway, plan, resource, secret, shop

from penstock_operator.cluster.infrastructure import Infrastructure
from penstock_operator.cluster.kinds import ObjectKey, key_of
from penstock_operator.deploy.context import DeployContext
from penstock_operator.deploy.identity import NAMESPACE_LABEL
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.kube import KubeObject


@dataclass
class Cluster:
    """The objects of a cluster, brought to what they should be."""

    world: World = field(default_factory=shop)
    infrastructure: Infrastructure = field(
        default_factory=lambda: Infrastructure(DeployContext("penstock:1"))
    )
    objects: dict[ObjectKey, KubeObject] = field(default_factory=dict)

    def known(self) -> frozenset[tuple[str, str]]:
        names = (*self.world.store.resources, *self.world.store.unparsed)
        return frozenset((one.namespace, one.name) for one in names if one.kind == "GatewayDeployment")

    def reconcile(self) -> tuple[list[str], list[str]]:
        """What was applied and what was deleted."""
        outcome = self.world.run()
        work = self.infrastructure.compare(
            outcome.serving.gateways, outcome.snapshots, self.known(), self.objects
        )
        self.objects |= {key_of(made): made for _, made in work.applies}
        for there in work.deletes:
            del self.objects[key_of(there)]
        return [str(key_of(one)) for _, one in work.applies], [str(key_of(one)) for one in work.deletes]

    def edit(self, kind: str, name: str = "edge", namespace: str = "shop") -> KubeObject:
        """An object of its own to edit."""
        key = ObjectKey(kind, namespace, name)
        self.objects[key] = copy.deepcopy(self.objects[key])
        return self.objects[key]


@pytest.fixture
def cluster() -> Cluster:
    """A gateway that runs."""
    made = Cluster()
    made.reconcile()
    return made


def with_secret_elsewhere(world: World) -> None:
    """Two APIs in two namespaces that name Secrets."""
    for namespace in ("shop", "warehouse"):
        of = {"name": "token", "namespace": namespace, "uid": f"t-{namespace}", "resourceVersion": "1"}
        source = {"source": {"kubernetes": {"name": "tokens", "key": "token"}}}
        given = resource("GatewaySecret", "token", source)
        header = {"name": "main", "url": "http://b", "headers": {"X-Token": "{#secrets.get('token')}"}}
        made = api("uses", listeners=[{"http": {"path": f"/{namespace}"}}])
        made["spec"]["endpointGroups"][0]["endpoints"] = [header]
        open_plan = plan("open", of="uses")
        for one in (made, open_plan):
            one["metadata"] = {**one["metadata"], "namespace": namespace}
        world.put(
            {**given, "metadata": of}, secret("tokens", namespace=namespace, token="t"), made, open_plan
        )
    world.put(gateway(version=2, apis={"namespaces": {"from": "All"}}))


def readers(cluster: Cluster) -> list[str]:
    """The namespaces in which a Role lets the pods read Secrets of APIs."""
    names = (key for key in cluster.objects if key.kind == "Role" and key.name.startswith("penstock-"))
    return sorted(key.namespace for key in names)


def test_a_new_gateway_gets_all_that_runs_it_in_order() -> None:
    applied, deleted = Cluster().reconcile()
    kinds = [name.partition(" ")[0] for name in applied]
    assert kinds[:3] == ["ServiceAccount", "Role", "RoleBinding"]
    assert {"Deployment", "Service", "NetworkPolicy"} <= set(kinds)
    assert deleted == []


def test_what_is_there_is_not_applied_again(cluster: Cluster) -> None:
    assert cluster.reconcile() == ([], [])


def test_what_was_changed_by_hand_is_applied_again(cluster: Cluster) -> None:
    cluster.edit("Deployment")["spec"]["template"]["spec"]["containers"][0]["image"] = "intruder:1"
    assert cluster.reconcile() == (["Deployment shop/edge"], [])
    assert cluster.reconcile() == ([], [])


def test_what_was_deleted_by_hand_is_applied_again(cluster: Cluster) -> None:
    del cluster.objects[ObjectKey("ServiceAccount", "shop", "edge")]
    assert cluster.reconcile() == (["ServiceAccount shop/edge"], [])


def test_what_others_add_is_left_to_them(cluster: Cluster) -> None:
    cluster.edit("Deployment")["metadata"].setdefault("annotations", {})["team"] = "shop"
    cluster.edit("Deployment")["status"] = {"readyReplicas": 1}
    assert cluster.reconcile() == ([], [])


def test_a_field_that_is_no_longer_wanted_is_applied_away(cluster: Cluster) -> None:
    cluster.world.put(gateway(version=2, podTemplate={"priorityClassName": "high"}))
    assert cluster.reconcile()[0] == ["Deployment shop/edge"]
    cluster.world.put(gateway(version=3))
    assert cluster.reconcile()[0] == ["Deployment shop/edge"]


def test_what_is_no_longer_wanted_of_a_gateway_is_deleted(cluster: Cluster) -> None:
    cluster.world.put(gateway(version=2, replicas=1))
    _, deleted = cluster.reconcile()
    assert deleted == ["PodDisruptionBudget shop/edge"]


def test_the_objects_of_a_deleted_gateway_are_deleted(cluster: Cluster) -> None:
    cluster.world.remove(gateway())
    applied, deleted = cluster.reconcile()
    assert applied == []
    assert "Deployment shop/edge" in deleted
    assert cluster.objects == {}


def test_a_gateway_that_is_broken_is_left_as_it_runs(cluster: Cluster) -> None:
    cluster.world.pipeline = World().pipeline
    cluster.world.store.resources.pop(ResourceId("GatewayDeployment", "shop", "edge"))
    cluster.world.put(gateway(version=2, listeners="none"))
    assert cluster.reconcile() == ([], [])
    assert ObjectKey("Deployment", "shop", "edge") in cluster.objects


def test_the_roles_of_a_broken_gateway_in_other_namespaces_stay(cluster: Cluster) -> None:
    with_secret_elsewhere(cluster.world)
    cluster.reconcile()
    cluster.world.pipeline = World().pipeline
    cluster.world.store.resources.pop(ResourceId("GatewayDeployment", "shop", "edge"))
    cluster.world.put(gateway(version=3, listeners="none"))
    assert cluster.reconcile() == ([], [])
    assert readers(cluster) == ["shop", "warehouse"]


@pytest.mark.parametrize("missing", ["stamp", "label"])
def test_an_object_that_the_operator_did_not_apply_is_never_deleted(cluster: Cluster, missing: str) -> None:
    there = cluster.edit("PodDisruptionBudget")
    metadata = there["metadata"]
    metadata["name"] = "foreign"
    cluster.objects[key_of(there)] = cluster.objects.pop(ObjectKey("PodDisruptionBudget", "shop", "edge"))
    if missing == "stamp":
        del metadata["annotations"]["penstock.dev/applied"]
    else:
        del metadata["labels"]["penstock.dev/gateway"]
    cluster.world.put(gateway(version=2, replicas=1))
    cluster.reconcile()
    assert key_of(there) in cluster.objects
    cluster.world.remove(gateway())
    cluster.reconcile()
    assert list(cluster.objects) == [key_of(there)]


def test_an_object_with_another_owner_is_never_deleted_for_a_gateway(cluster: Cluster) -> None:
    there = cluster.edit("PodDisruptionBudget")
    there["metadata"]["ownerReferences"] = [{"uid": "somebody", "controller": True}]
    cluster.world.put(gateway(version=2, replicas=1))
    assert cluster.reconcile()[1] == []


def test_each_namespace_with_secrets_of_served_apis_has_a_role(cluster: Cluster) -> None:
    with_secret_elsewhere(cluster.world)
    cluster.reconcile()
    assert readers(cluster) == ["shop", "warehouse"]
    role = next(
        one for key, one in cluster.objects.items() if key.kind == "Role" and key.namespace == "warehouse"
    )
    assert role["rules"][0]["resourceNames"] == ["tokens"]
    assert role["metadata"]["labels"][NAMESPACE_LABEL] == "shop"
    assert cluster.reconcile() == ([], [])


def test_the_role_of_a_namespace_goes_with_the_last_api_that_needs_it(cluster: Cluster) -> None:
    with_secret_elsewhere(cluster.world)
    cluster.reconcile()
    gone = api("uses")
    gone["metadata"] = {**gone["metadata"], "namespace": "warehouse"}
    cluster.world.remove(gone)
    applied, deleted = cluster.reconcile()
    assert applied == []
    assert sorted(name.partition(" ")[0] for name in deleted) == ["Role", "RoleBinding"]
    assert readers(cluster) == ["shop"]


def test_the_roles_in_other_namespaces_go_with_the_gateway(cluster: Cluster) -> None:
    with_secret_elsewhere(cluster.world)
    cluster.reconcile()
    cluster.world.remove(gateway())
    cluster.reconcile()
    assert cluster.objects == {}


def test_a_broken_edit_of_an_api_keeps_the_right_to_its_secrets(cluster: Cluster) -> None:
    with_secret_elsewhere(cluster.world)
    cluster.reconcile()
    broken = api("uses", 2, **BROKEN)
    broken["metadata"] = {**broken["metadata"], "namespace": "warehouse"}
    cluster.world.put(broken)
    assert cluster.reconcile() == ([], [])
