"""Snapshots and what is published -> the ConfigMaps to write and to delete."""

from __future__ import annotations

import copy

import pytest
from cluster_world import BROKEN, World, api, gateway, plan, resource, secret, shop, subscription

from gateway_runtime.snapshot.parts import (
    API_ANNOTATION,
    DATA_KEY,
    MAX_PART,
    PART_ANNOTATION,
    Part,
    SectionKind,
)
from penstock_operator.cluster.kinds import CONFIG_MAP
from penstock_operator.cluster.publisher import Publisher
from penstock_operator.resources.kube import KubeObject


def name_of(api_name: str, index: int = 1, kind: SectionKind = "api") -> str:
    """The name of the ConfigMap with a part of an API's section."""
    return Part(kind, f"shop/{api_name}", "", index, index, "").name("edge")


@pytest.fixture
def world() -> World:
    """Two APIs, all of it published."""
    world = shop()
    world.put(api("parts"), plan("open", of="parts"))
    world.publish()
    return world


def large(quarters: int, version: int) -> KubeObject:
    """An API whose section is so many times a quarter of the largest part, and a little more."""
    properties = {f"p{number}": "x" * (MAX_PART // 4) for number in range(quarters)}
    return api("orders", version, properties=properties)


def test_everything_is_published_once() -> None:
    world = shop()
    written, deleted = world.publish()
    assert sorted(written) == sorted(["edge-gateway-1", name_of("orders")])
    assert deleted == []
    assert world.publish() == ([], [])


def test_an_edit_makes_one_config_map(world: World) -> None:
    world.put(api("orders", 2, properties={"a": "b"}))
    assert world.publish() == ([name_of("orders")], [])


def test_an_edit_that_changes_nothing_that_is_served_makes_none(world: World) -> None:
    world.put(api("orders", 2, description="for people"))
    assert world.publish() == ([], [])


def test_a_subscription_makes_no_new_section_of_its_api(world: World) -> None:
    key = {"secretRef": {"name": "mobile-key", "key": "key"}}
    world.put(plan(version=2, security={"apiKey": {}}), secret("mobile-key", key="0123456789" * 3))
    world.publish()
    world.put(subscription(apiKey=key))
    assert world.publish() == ([name_of("orders", kind="subscriptions")], [])


def test_nothing_of_a_key_is_published_plainly(world: World) -> None:
    key = {"secretRef": {"name": "mobile-key", "key": "key"}}
    world.put(plan(version=2, security={"apiKey": {}}), secret("mobile-key", key="must-not-be-read-01234"))
    world.put(subscription(apiKey=key))
    world.publish()
    assert name_of("orders", kind="subscriptions") in world.maps
    assert not [name for name, one in world.maps.items() if "must-not-be-read" in str(one)]


@pytest.mark.parametrize("place", ["data", "digest", "part", "label"])
def test_what_was_changed_by_hand_is_repaired(world: World, place: str) -> None:
    before = world.maps[name_of("orders")]
    edited = copy.deepcopy(before)
    if place == "data":
        edited["data"][DATA_KEY] = edited["data"][DATA_KEY].replace("backend", "intruder")
    elif place == "label":
        edited["metadata"]["labels"]["penstock.dev/section"] = "subscriptions"
    else:
        edited["metadata"]["annotations"][f"penstock.dev/{place}"] = "1/7"
    world.hold(edited)
    assert world.publish() == ([name_of("orders")], [])
    assert world.maps[name_of("orders")]["data"] == before["data"]
    assert world.publish() == ([], [])


def test_a_key_added_to_the_data_by_hand_is_drift(world: World) -> None:
    edited = copy.deepcopy(world.maps[name_of("orders")])
    edited["data"]["more"] = "x"
    world.hold(edited)
    assert world.publish()[0] == [name_of("orders")]


def test_a_part_that_was_deleted_by_hand_is_written_again(world: World) -> None:
    gone = {"metadata": {"namespace": "shop", "name": name_of("parts")}}
    world.observed.remove(CONFIG_MAP, gone)
    assert world.publish() == ([name_of("parts")], [])


def test_the_sections_of_an_api_that_is_gone_are_deleted(world: World) -> None:
    world.remove(api("parts"))
    assert world.publish() == ([], [name_of("parts")])


def test_what_was_published_of_an_api_that_is_lost_stays(world: World) -> None:
    world.pipeline = World().pipeline
    world.publisher = Publisher()
    world.put(api("orders", 2, **BROKEN))
    assert world.publish() == ([], [])


def test_what_was_published_of_an_api_that_is_stopped_goes_though_it_is_broken(world: World) -> None:
    world.pipeline = World().pipeline
    world.put(api("orders", 2, state="Stopped", **BROKEN))
    assert world.publish() == ([], [name_of("orders")])


def test_a_config_map_of_the_gateway_that_holds_no_section_is_deleted(world: World) -> None:
    labels = world.maps[name_of("orders")]["metadata"]["labels"]
    intruder = resource("ConfigMap", "intruder", None, labels=labels, annotations={API_ANNOTATION: "shop/x"})
    world.hold({**intruder, "data": {DATA_KEY: "{}"}})
    assert world.publish() == ([], ["intruder"])


def test_the_maps_of_a_gateway_without_a_snapshot_are_left_alone(world: World) -> None:
    world.peppers = {}
    assert world.publish() == ([], [])


def test_the_maps_of_other_gateways_are_left_alone(world: World) -> None:
    labels = {**world.maps[name_of("orders")]["metadata"]["labels"], "penstock.dev/gateway": "other"}
    world.hold({**resource("ConfigMap", "others", None, labels=labels), "data": {DATA_KEY: "{}"}})
    assert world.publish() == ([], [])


def test_a_second_gateway_gets_maps_of_its_own(world: World) -> None:
    world.put(gateway("other"))
    world.peppers["shop/other"] = b"o" * 32
    written, deleted = world.publish()
    assert deleted == []
    assert {name.partition("-")[0] for name in written} == {"other"}
    assert len(written) == 3


def test_a_section_that_grows_and_shrinks_has_all_its_parts_and_no_other(world: World) -> None:
    for version, quarters in ((2, 5), (3, 8), (4, 4), (5, 1)):
        before = [name for name in world.maps if name.startswith(name_of("orders")[:-1])]
        world.put(large(quarters, version))
        written, deleted = world.publish()
        held = [name for name in world.maps if name.startswith(name_of("orders")[:-1])]
        places = {world.maps[name]["metadata"]["annotations"][PART_ANNOTATION] for name in held}
        assert places == {f"{index}/{len(held)}" for index in range(1, len(held) + 1)}
        assert len(held) == (quarters + 1 if quarters >= 4 else 1)
        assert sorted(written) == sorted(held)
        assert set(deleted) == set(before) - set(held)
        assert world.publish() == ([], [])


def test_a_part_of_many_that_was_changed_by_hand_is_repaired_alone(world: World) -> None:
    world.put(large(5, 2))
    world.publish()
    edited = copy.deepcopy(world.maps[name_of("orders", 2)])
    edited["data"][DATA_KEY] = "{}"
    world.hold(edited)
    assert world.publish() == ([name_of("orders", 2)], [])


def test_a_new_operator_writes_nothing_of_what_is_published_already(world: World) -> None:
    world.pipeline, world.publisher = World().pipeline, Publisher()
    assert world.publish() == ([], [])
