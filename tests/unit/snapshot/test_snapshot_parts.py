"""Sections to parts and objects to parts: what the wire between operator and pods carries."""

from __future__ import annotations

from typing import Any

import pytest
from snapshot_sections import section, snapshot

from gateway_runtime.snapshot.codec import digest
from gateway_runtime.snapshot.parts import (
    API_ANNOTATION,
    DATA_KEY,
    DIGEST_ANNOTATION,
    MAX_PART,
    PART_ANNOTATION,
    SECTION_LABEL,
    Part,
    PartError,
    read_part,
    section_parts,
    snapshot_parts,
)
from gateway_runtime.snapshot.types import GatewaySection


def test_each_part_is_read_back_from_its_object() -> None:
    parts = list(snapshot_parts(snapshot(section("a"), section("b"))))
    assert [(part.kind, part.key) for part in parts] == [
        ("gateway", ""),
        ("api", "shop/a"),
        ("api", "shop/b"),
        ("subscriptions", "shop/b"),
    ]
    for part in parts:
        assert read_part(part.labels("edge"), part.annotations(), {DATA_KEY: part.data}) == part


def test_parts_of_different_sections_have_different_names() -> None:
    parts = list(snapshot_parts(snapshot(section("a"), section("b"), section("c"))))
    names = {part.name("edge") for part in parts}
    assert len(names) == len(parts)
    assert all(len(name) < 64 for name in names)


@pytest.mark.parametrize("filler", ["x", "é", "漢", "\N{GRINNING FACE}", '"', "<"])
def test_a_large_section_is_cut_below_the_size_of_a_config_map(filler: str) -> None:
    large = section("a", properties={"text": filler * MAX_PART})
    parts = section_parts("api", "shop/a", digest(large), large)
    assert len(parts) > 1
    assert all(len(part.data.encode()) <= MAX_PART for part in parts)
    assert [(part.index, part.count) for part in parts] == [(n, len(parts)) for n in range(1, len(parts) + 1)]
    assert len({part.name("edge") for part in parts}) == len(parts)


def test_a_small_section_is_one_part() -> None:
    gateway = GatewaySection()
    (part,) = section_parts("gateway", "", digest(gateway), gateway)
    assert (part.index, part.count) == (1, 1)


GOOD = Part("api", "shop/a", "0" * 32, 1, 2, "{}")


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("labels", {SECTION_LABEL: "endpoints"}),
        ("labels", {}),
        ("annotations", {PART_ANNOTATION: "0/2"}),
        ("annotations", {PART_ANNOTATION: "3/2"}),
        ("annotations", {PART_ANNOTATION: "1"}),
        ("annotations", {PART_ANNOTATION: "1/99999"}),
        ("annotations", {PART_ANNOTATION: "+1/2"}),
        ("annotations", {PART_ANNOTATION: "١/٢"}),
        ("annotations", {API_ANNOTATION: ""}),
        ("annotations", {DIGEST_ANNOTATION: None}),
        ("data", {DATA_KEY: None}),
    ],
)
def test_an_object_that_holds_no_part_is_refused(place: str, wrong: dict[str, Any]) -> None:
    found: dict[str, dict[str, Any]] = {
        "labels": GOOD.labels("edge"),
        "annotations": GOOD.annotations(),
        "data": {DATA_KEY: GOOD.data},
    }
    found[place] = {key: value for key, value in {**found[place], **wrong}.items() if value is not None}
    if not wrong:
        found[place] = {}
    with pytest.raises(PartError, match="no part of a section"):
        read_part(found["labels"], found["annotations"], found["data"])


def test_the_gateways_own_section_has_no_api() -> None:
    part = Part("gateway", "", "0" * 32, 1, 1, "{}")
    with pytest.raises(PartError, match="no part of a section"):
        read_part(part.labels("edge"), {**part.annotations(), API_ANNOTATION: "shop/a"}, {DATA_KEY: "{}"})
