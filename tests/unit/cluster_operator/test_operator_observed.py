"""Events of the operator's own objects -> what is published, what pods report, which revisions there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from cluster_world import Changes, Clock, resource

from gateway_runtime.snapshot.parts import DATA_KEY, Part
from penstock_operator.cluster.kinds import BY_NAME, CONFIG_MAP, LEASE, REVISION, ObjectKey
from penstock_operator.cluster.observed import Observed
from penstock_operator.resources.kube import KubeObject
from penstock_operator.status.observed import Publication


class Events:
    """The observed state and the events that make it."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.clock = Clock()
        self.observed = Observed(self.changes, self.clock)

    def part(self, index: int, count: int, digest: str, version: int, data: str = "{}") -> None:
        """A part of the section of shop/orders as it is now."""
        part = Part("api", "shop/orders", digest, index, count, data)
        metadata = {
            "name": part.name("edge"), "namespace": "shop", "resourceVersion": str(version),
            "labels": part.labels("edge"), "annotations": part.annotations(),
        }  # fmt: skip
        self.observed.put(CONFIG_MAP, {"metadata": metadata, "data": {DATA_KEY: data}})

    def without(self, index: int) -> None:
        name = Part("api", "shop/orders", "", index, index, "").name("edge")
        self.observed.remove(CONFIG_MAP, {"metadata": {"name": name, "namespace": "shop"}})

    @property
    def published(self) -> Publication | None:
        return self.observed.sections["shop", "edge"].api.get("shop/orders")

    def lease(self, version: int, served: str = "7", pod: str = "one", **annotations: str) -> int:
        """How many changes the report of a pod tells."""
        before = self.changes.count
        noted = {"penstock.dev/resource-version": served}
        noted |= {f"penstock.dev/{key}": text for key, text in annotations.items()}
        metadata = {
            "name": pod, "namespace": "shop", "resourceVersion": str(version),
            "labels": {"penstock.dev/gateway": "edge"}, "annotations": noted,
        }  # fmt: skip
        self.observed.put(LEASE, {"metadata": metadata, "spec": {"holderIdentity": pod}})
        return self.changes.count - before

    @property
    def errors(self) -> Mapping[str, str]:
        return self.observed.pods("shop", "edge")["one"].errors


@pytest.fixture
def events() -> Events:
    return Events()


def test_a_section_of_one_part_is_published_with_it(events: Events) -> None:
    events.part(1, 1, "d1", 5)
    assert events.published == Publication("d1", 5)


def test_a_section_whose_parts_are_of_two_states_is_not_published(events: Events) -> None:
    events.part(1, 2, "d1", 5)
    events.part(2, 2, "d1", 6)
    assert events.published == Publication("d1", 6)

    events.part(1, 2, "d2", 7)
    assert events.published == Publication("", 7)

    events.part(2, 2, "d2", 8)
    assert events.published == Publication("d2", 8)


def test_a_section_is_whole_again_when_the_part_that_is_left_over_is_gone(events: Events) -> None:
    events.part(1, 2, "d1", 5)
    events.part(2, 2, "d1", 6)
    events.part(1, 1, "d2", 7)
    events.without(2)
    assert events.published == Publication("d2", 7)


def test_a_section_without_parts_is_not_there(events: Events) -> None:
    events.part(1, 1, "d1", 5)
    events.without(1)
    assert events.published is None
    assert events.observed.config_maps == {}


def test_a_part_that_comes_late_changes_nothing(events: Events) -> None:
    events.part(1, 1, "d2", 6)
    events.part(1, 1, "d1", 5)
    assert events.published == Publication("d2", 6)


def test_a_part_that_is_moved_to_another_section_leaves_its_own(events: Events) -> None:
    events.part(1, 1, "d1", 5)
    part = Part("api", "shop/orders", "d1", 1, 1, "{}")
    moved = {
        "name": part.name("edge"), "namespace": "shop", "resourceVersion": "6",
        "labels": {**part.labels("edge"), "penstock.dev/gateway": "other"}, "annotations": part.annotations(),
    }  # fmt: skip
    events.observed.put(CONFIG_MAP, {"metadata": moved, "data": {DATA_KEY: "{}"}})
    assert events.published is None
    assert events.observed.sections["shop", "other"].api == {"shop/orders": Publication("d1", 6)}


def test_the_data_of_a_part_counts_to_its_content(events: Events) -> None:
    events.part(1, 1, "d1", 5)
    (before,) = events.observed.config_maps.values()
    events.part(1, 1, "d1", 6, data='{"edited": "by hand"}')
    (after,) = events.observed.config_maps.values()
    assert before.content != after.content


def test_a_renewal_is_no_news_but_what_a_pod_serves_is(events: Events) -> None:
    assert events.lease(1, served="7") == 1
    assert events.lease(2, served="7") == 0
    assert events.lease(3, served="8") == 1
    assert events.lease(4, served="8", errors='{"shop/orders": "no key"}') == 1
    assert events.errors == {"shop/orders": "no key"}


@pytest.mark.parametrize("text", ["²", "٣", "-1", "1e3", "9" * 5000, " 7", "7\n"])
def test_a_version_that_no_pod_would_write_counts_as_nothing_served(events: Events, text: str) -> None:
    events.lease(1, served=text)
    assert events.observed.pods("shop", "edge")["one"].version == 0


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"shop/orders": {}}', "[" * 100_000, '{"a":' * 50_000])
def test_errors_that_no_pod_would_write_are_an_error_of_the_pod(events: Events, text: str) -> None:
    events.lease(1, errors=text)
    assert events.errors == {"": "the pod's report cannot be read"}


def test_a_pod_that_is_silent_for_thirty_seconds_counts_no_more(events: Events) -> None:
    events.lease(1)
    assert events.observed.next_silence() == events.clock.now + 30
    events.clock.now += 29.9
    assert events.observed.pods("shop", "edge").keys() == {"one"}
    events.clock.now += 0.1
    assert events.observed.pods("shop", "edge") == {}
    assert events.observed.next_silence() is None


def test_a_pod_that_speaks_again_after_a_silence_is_news(events: Events) -> None:
    events.lease(1)
    events.clock.now += 31
    assert events.lease(2) == 1
    assert events.observed.pods("shop", "edge").keys() == {"one"}


def test_an_old_event_of_a_lease_is_no_sign_of_life(events: Events) -> None:
    events.lease(2)
    events.clock.now += 31
    events.lease(2)
    assert events.observed.pods("shop", "edge") == {}


def test_the_next_silence_is_that_of_the_pod_that_spoke_first(events: Events) -> None:
    events.lease(1, pod="one")
    events.clock.now += 10
    events.lease(2, pod="two")
    assert events.observed.next_silence() == events.clock.now + 20
    events.clock.now += 25
    assert events.observed.next_silence() == events.clock.now + 5


def test_pods_of_other_gateways_and_namespaces_are_told_apart(events: Events) -> None:
    events.lease(1)
    assert events.observed.pods("shop", "other") == {}
    assert events.observed.pods("elsewhere", "edge") == {}


def revision(name: str, version: int, owner: str = "u1") -> KubeObject:
    made = resource("ControllerRevision", name, None, version, ownerReferences=[{"uid": owner}])
    return {**made, "data": {"api": "large"}, "revision": 3}


def test_revisions_are_held_by_their_owner_without_what_is_large(events: Events) -> None:
    events.observed.put(REVISION, revision("r1", 1))
    events.observed.put(REVISION, revision("r2", 2, "u2"))
    held = events.observed.revisions
    assert {owner: list(found) for owner, found in held.items()} == {
        ("shop", "u1"): ["r1"],
        ("shop", "u2"): ["r2"],
    }
    assert "data" not in held["shop", "u1"]["r1"]
    assert held["shop", "u1"]["r1"]["revision"] == 3


def test_a_revision_that_is_deleted_is_gone_though_its_event_names_no_owner(events: Events) -> None:
    events.observed.put(REVISION, revision("r1", 1))
    events.observed.remove(REVISION, {"metadata": {"namespace": "shop", "name": "r1"}})
    assert not events.observed.revisions.get(("shop", "u1"))


def test_the_revisions_of_an_api_that_is_gone_take_no_memory(events: Events) -> None:
    events.observed.put(REVISION, revision("r1", 1))
    events.observed.remove(REVISION, revision("r1", 1))
    assert events.observed.revisions == {}


def test_a_revision_of_that_name_in_another_namespace_stays(events: Events) -> None:
    events.observed.put(REVISION, revision("r1", 1))
    events.observed.remove(REVISION, {"metadata": {"namespace": "elsewhere", "name": "r1"}})
    assert list(events.observed.revisions["shop", "u1"]) == ["r1"]


def test_other_objects_are_held_as_they_are(events: Events) -> None:
    service: dict[str, Any] = resource("Service", "edge", {"type": "ClusterIP"}, 3)
    events.observed.put(BY_NAME["Service"], service)
    events.observed.put(BY_NAME["Service"], {**service, "spec": {"type": "NodePort"}})
    key = ObjectKey("Service", "shop", "edge")
    assert events.observed.objects[key]["spec"] == {"type": "ClusterIP"}
    events.observed.remove(BY_NAME["Service"], service)
    assert events.observed.objects == {}
