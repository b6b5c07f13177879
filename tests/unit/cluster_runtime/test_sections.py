"""ConfigMaps of a gateway to its snapshot, and what is wrong with them."""

from __future__ import annotations

import pytest
from published import GATEWAY, config_map, section, snapshot

from gateway_runtime.cluster.objects import DataObject, Metadata
from gateway_runtime.cluster.sections import Sections
from gateway_runtime.snapshot.parts import API_ANNOTATION, snapshot_parts


class Following:
    """Sections that have listed the ConfigMaps of a snapshot."""

    def __init__(self) -> None:
        self.changes = 0
        self.published = snapshot(section("a"), section("b"))
        self.parts = {part.key: part for part in snapshot_parts(self.published)}
        self.sections = Sections(GATEWAY, self._count)
        for number, part in enumerate(self.parts.values(), 1):
            self.sections.put(config_map(part, number))
        self.sections.keep({part.name(GATEWAY) for part in self.parts.values()})
        self.sections.reach("10")

    def _count(self) -> None:
        self.changes += 1

    def keys(self) -> list[str]:
        found = self.sections.snapshot()
        assert found is not None
        return sorted(found.apis)


@pytest.fixture
def following() -> Following:
    return Following()


def test_nothing_is_known_before_all_is_listed() -> None:
    sections = Sections(GATEWAY, lambda: None)
    for part in snapshot_parts(snapshot(section("a"))):
        sections.put(config_map(part, 1))
    assert sections.snapshot() is None
    assert "being read" in sections.missing()
    sections.trouble("the API server is away")
    assert "the API server is away" in sections.missing()


def test_listed_config_maps_make_the_snapshot(following: Following) -> None:
    assert following.sections.snapshot() == following.published
    assert following.sections.missing() == ""
    assert following.sections.version == 10


def test_a_list_without_a_config_map_ends_what_it_held(following: Following) -> None:
    parts = following.parts
    following.sections.keep({parts[""].name(GATEWAY), parts["shop/a"].name(GATEWAY)})
    assert following.keys() == ["shop/a"]


def test_a_removed_config_map_ends_what_it_held(following: Following) -> None:
    following.sections.remove(following.parts["shop/b"].name(GATEWAY))
    assert following.keys() == ["shop/a"]


def test_what_is_listed_again_unchanged_is_no_change(following: Following) -> None:
    before = following.changes
    for number, part in enumerate(following.parts.values(), 1):
        following.sections.put(config_map(part, number))
    assert following.changes == before


def test_the_version_never_goes_back(following: Following) -> None:
    following.sections.reach("9")
    assert following.sections.version == 10


def test_a_config_map_under_another_name_does_not_take_the_place(following: Following) -> None:
    """Its end would end what the right one holds."""
    part = following.parts["shop/b"]
    following.sections.put(config_map(part, 11, name="a-copy"))
    assert list(following.sections.problems()) == ["shop/b"]
    assert "ConfigMap a-copy" in following.sections.problems()["shop/b"]
    following.sections.remove("a-copy")
    assert following.sections.problems() == {}
    assert following.keys() == ["shop/a", "shop/b"]


def test_a_config_map_that_holds_no_part_any_more_leaves_what_it_held(following: Following) -> None:
    name = following.parts["shop/b"].name(GATEWAY)
    metadata = Metadata(name=name, resource_version="11", annotations={API_ANNOTATION: "shop/b"})
    following.sections.put(DataObject(metadata=metadata))
    assert following.keys() == ["shop/a", "shop/b"]
    assert "no part of a section" in following.sections.problems()["shop/b"]
    following.sections.put(config_map(following.parts["shop/b"], 12))
    assert following.sections.problems() == {}


def test_a_gateway_without_its_own_section_says_so(following: Following) -> None:
    following.sections.remove(following.parts[""].name(GATEWAY))
    assert following.sections.snapshot() is None
    assert following.sections.missing() == f"nothing is published for the gateway {GATEWAY}"


def test_trouble_is_a_problem_of_the_gateway_until_it_is_over(following: Following) -> None:
    following.sections.trouble("forbidden")
    assert following.sections.problems() == {"": "ConfigMaps cannot be followed: forbidden"}
    following.sections.trouble("")
    assert following.sections.problems() == {}
