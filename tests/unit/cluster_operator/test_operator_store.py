"""Events of users' objects -> the resources that the pipeline works on."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_world import API, UNPARSABLE, Changes, api, plan, secret

from penstock_operator.cluster.handlers import Sinks
from penstock_operator.cluster.kinds import BY_NAME, NAMESPACE, SECRET, SERVICE, key_of
from penstock_operator.cluster.observed import Observed
from penstock_operator.cluster.store import Contents, Store
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.kube import KubeObject

KIND = BY_NAME["ApiDefinition"]


class Events:
    """A store, and how many changes it has told since it was last asked."""

    def __init__(self) -> None:
        self._changes = Changes()
        self.store = Store(self._changes)

    def put(self, found: KubeObject) -> int:
        before = self._changes.count
        self.store.put(BY_NAME[found["kind"]], found)
        return self._changes.count - before

    def remove(self, found: KubeObject) -> int:
        before = self._changes.count
        self.store.remove(BY_NAME[found["kind"]], found)
        return self._changes.count - before

    @property
    def description(self) -> str:
        held = self.store.resources[API].resource
        assert isinstance(held, ApiDefinition)
        return held.spec.description


@pytest.fixture
def events() -> Events:
    return Events()


def with_metadata(found: KubeObject, **metadata: Any) -> KubeObject:
    return {**found, "metadata": {**found["metadata"], **metadata}}


def test_an_edit_is_told_and_held(events: Events) -> None:
    assert events.put(api(version=1, description="one")) == 1
    assert events.put(api(version=2, description="two")) == 1
    assert events.description == "two"


def test_an_event_that_comes_late_changes_nothing(events: Events) -> None:
    events.put(api(version=9, description="new"))
    assert events.put(api(version=8, description="old")) == 0
    assert events.description == "new"
    assert events.store.versions(KIND) == {("shop", "orders"): 9}


def test_versions_are_compared_as_numbers(events: Events) -> None:
    events.put(api(version=9, description="old"))
    events.put(api(version=10, description="new"))
    assert events.description == "new"


def test_a_new_status_is_no_change_but_a_version(events: Events) -> None:
    events.put(api(version=1))
    assert events.put({**api(version=2), "status": {"pods": "1/1"}}) == 0
    assert events.store.versions(KIND) == {("shop", "orders"): 2}
    assert events.put({**api(version=3, description="two"), "status": {"pods": "1/1"}}) == 1


def test_what_managers_and_kubectl_note_for_themselves_is_no_change(events: Events) -> None:
    events.put(with_metadata(api(version=1), annotations={"team": "a"}))
    noted = {"team": "a", "kubectl.kubernetes.io/last-applied-configuration": "{...}"}
    again = with_metadata(api(version=2), annotations=noted, managedFields=[{"manager": "kubectl"}])
    assert events.put(again) == 0


def test_a_new_annotation_is_a_change(events: Events) -> None:
    events.put(api(version=1))
    assert events.put(with_metadata(api(version=2), annotations={"penstock.dev/approval": "Approved"})) == 1


def test_what_is_being_deleted_counts_as_gone_at_once(events: Events) -> None:
    events.put(api(version=1))
    going = with_metadata(api(version=2), deletionTimestamp="2026-11-24T12:00:00Z")
    assert events.put(going) == 1
    assert API not in events.store.resources
    assert events.put(api(version=1)) == 0, "an event from before the deletion brought it back"
    assert events.remove(going) == 0


def test_what_was_deleted_may_be_made_again(events: Events) -> None:
    events.put(api(version=5))
    assert events.remove(api(version=6)) == 1
    assert events.store.versions(KIND) == {}
    assert events.put(api(version=7, description="again")) == 1
    assert events.description == "again"


def test_an_edit_that_cannot_be_parsed_leaves_the_version_before_it(events: Events) -> None:
    events.put(api(version=1, description="good"))
    assert events.put(api(version=2, listeners="none")) == 1
    assert events.description == "good"
    (problem,) = events.store.unparsed[API].problems
    assert "spec.listeners" in str(problem)
    assert events.store.broken() == {"ApiDefinition shop/orders"}


def test_the_same_edit_that_cannot_be_parsed_is_told_once(events: Events) -> None:
    events.put(api(version=1))
    events.put(api(version=2, listeners="none"))
    assert events.put({**api(version=3, listeners="none"), "status": {"pods": ""}}) == 0


def test_an_edit_that_mends_what_could_not_be_parsed_is_taken(events: Events) -> None:
    events.put(api(version=1, listeners="none"))
    assert events.store.resources == {}
    assert events.put(api(version=2, description="mended")) == 1
    assert events.description == "mended"
    assert events.store.broken() == frozenset()


def test_going_back_to_the_good_version_is_a_change(events: Events) -> None:
    events.put(api(version=1))
    events.put(api(version=2, listeners="none"))
    assert events.put(api(version=3)) == 1
    assert events.store.broken() == frozenset()


def test_deleting_what_cannot_be_parsed_takes_its_good_version_too(events: Events) -> None:
    events.put(api(version=1))
    events.put(api(version=2, listeners="none"))
    assert events.remove(api(version=3)) == 1
    assert (events.store.resources, events.store.broken()) == ({}, frozenset())


def test_each_object_is_counted_once(events: Events) -> None:
    events.put(api(version=1))
    events.put(api(version=2, listeners="none"))
    events.put(api("parts", listeners="none"))
    events.put(plan())
    assert events.store.count(KIND) == 2


@pytest.mark.parametrize("kind", ["helm.sh/release.v1", "kubernetes.io/service-account-token"])
def test_secrets_that_no_api_refers_to_are_not_held(events: Events, kind: str) -> None:
    assert events.put({**secret("release", key="large"), "type": kind}) == 0
    assert events.store.resources == {}
    assert events.store.versions(SECRET) == {("shop", "release"): 1}, "a listing would wait for it"


def test_values_of_a_secret_are_followed(events: Events) -> None:
    events.put(secret("keys", 1, key="one"))
    assert events.put(secret("keys", 2, key="one")) == 0
    assert events.put(secret("keys", 3, key="two")) == 1


def test_labels_of_namespaces_are_followed_and_nothing_else_of_them() -> None:
    changes = Changes()
    store = Store(changes)
    for version, labels in ((1, {"tier": "a"}), (2, {"tier": "a"}), (3, {"tier": "b"})):
        found = {"metadata": {"name": "shop", "resourceVersion": str(version), "labels": labels}}
        store.put(NAMESPACE, found)
    assert (changes.count, store.namespaces) == (2, {"shop": {"tier": "b"}})

    store.remove(NAMESPACE, {"metadata": {"name": "shop"}})
    store.remove(NAMESPACE, {"metadata": {"name": "shop"}})
    assert (changes.count, store.namespaces) == (3, {})


def test_an_object_of_another_name_is_another_object(events: Events) -> None:
    events.put(api("orders", 5))
    events.put(api("parts", 1))
    assert events.store.resources.keys() == {API, ResourceId("ApiDefinition", "shop", "parts")}


def test_the_resources_of_a_kind_are_those_that_can_be_parsed_and_are_there(events: Events) -> None:
    events.put(api(version=1))
    events.put(api("broken", version=2, **UNPARSABLE))
    events.put(plan(version=3))
    assert list(events.store.of_kind("ApiDefinition")) == [API]
    events.remove(api(version=1))
    assert not events.store.of_kind("ApiDefinition")


def test_contents_are_what_is_there_now_whether_it_can_be_parsed_or_not(events: Events) -> None:
    contents = Contents(events.store)
    events.put(api(version=1, description="good"))
    events.put(api(version=2, description="bad", **UNPARSABLE))
    assert contents[API]["spec"]["description"] == "bad"
    assert dict(contents) == {API: contents[API]}
    events.remove(api(version=2))
    assert API not in contents
    assert len(contents) == 0


def service(version: int = 1, **fields: Any) -> KubeObject:
    metadata = {"name": "orders", "namespace": "shop", "resourceVersion": str(version)}
    spec = {"type": "ClusterIP", "ports": [{"name": "http", "port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, **fields}


def test_of_a_service_its_ports_are_held_and_nothing_else_is_news(events: Events) -> None:
    assert events.put(service()) == 1
    assert events.store.services["shop/orders"].port("http") == ("http", 80)
    assert events.put(service(2, status={"loadBalancer": {}})) == 0
    assert events.put(service(3, spec={"ports": [{"port": 81}]})) == 1
    assert events.store.versions(SERVICE) == {("shop", "orders"): 3}


def test_a_service_that_is_gone_is_told_once(events: Events) -> None:
    events.put(service())
    assert (events.remove(service()), events.remove(service())) == (1, 0)
    assert not events.store.services


def test_a_webhook_knows_the_services_that_are_there(events: Events) -> None:
    events.put(service())
    assert events.store.neighbours.services == events.store.services


def test_services_with_our_label_are_what_runs_gateways_too() -> None:
    store, observed = Store(Changes()), Observed(Changes(), lambda: 0.0)
    sink = Sinks(store, observed).of(SERVICE)
    ours = with_metadata(service(), labels={"app.kubernetes.io/managed-by": "penstock"})
    sink.put(SERVICE, service())
    assert not observed.objects
    sink.put(SERVICE, with_metadata(ours, resourceVersion="2"))
    assert list(observed.objects) == [key_of(ours)]
    sink.put(SERVICE, service(3))
    assert (list(observed.objects), list(store.services)) == ([], ["shop/orders"])
    sink.put(SERVICE, with_metadata(ours, resourceVersion="4"))
    sink.remove(SERVICE, ours)
    assert (observed.objects, store.services, sink.versions(SERVICE)) == ({}, {}, {})
