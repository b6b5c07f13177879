"""Parts as they come and go to a snapshot: never a mix of two edits, never less than what was good."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snapshot_sections import section, subscriptions

from gateway_runtime.snapshot import parts as wire
from gateway_runtime.snapshot.assembler import Assembler
from gateway_runtime.snapshot.codec import api_entry, digest, subscriptions_entry, text_digest
from gateway_runtime.snapshot.parts import Part, section_parts, snapshot_parts
from gateway_runtime.snapshot.types import GatewaySection, Snapshot


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts for a section of a few hundred bytes."""
    monkeypatch.setattr(wire, "MAX_PART", 400)


def assembled(parts: list[Part]) -> Assembler:
    assembler = Assembler()
    for part in parts:
        assembler.add(part)
    return assembler


def api_parts(name: str, version: str, length: int = 700) -> list[Part]:
    one = section(name, version, properties={"text": version[-1] * length})
    return list(section_parts("api", f"shop/{name}", digest(one), one))


GATEWAY = list(section_parts("gateway", "", digest(GatewaySection()), GatewaySection()))


def version(assembler: Assembler, key: str = "shop/a") -> str | None:
    snapshot = assembler.snapshot()
    assert snapshot is not None
    entry = snapshot.apis.get(key)
    return None if entry is None else entry.section.version


@given(data=st.data())
def test_the_parts_of_a_snapshot_give_it_back_in_any_order(data: st.DataObject) -> None:
    one, two = section("a", properties={"text": "x" * 900}), section("b")
    expected = Snapshot(
        apis={"shop/a": api_entry(one), "shop/b": api_entry(two)},
        subscriptions={"shop/a": subscriptions_entry(subscriptions("a", *(f"app-{n}" for n in range(20))))},
    )
    parts = list(snapshot_parts(expected))
    assert len(parts) > 10
    assembler = assembled(data.draw(st.permutations(parts)))
    assert assembler.snapshot() == expected
    assert assembler.problems == {}


@given(data=st.data(), lengths=st.lists(st.integers(0, 900), min_size=2, max_size=4))
def test_updates_part_by_part_never_serve_a_mix(data: st.DataObject, lengths: list[int]) -> None:
    """Each part's object goes through the edits in their order; the objects do so in any order."""
    edits = [api_parts("a", f"v{number}", length) for number, length in enumerate(lengths)]
    queues = [
        [edit[index] if index < len(edit) else None for edit in edits]
        for index in range(max(len(edit) for edit in edits))
    ]
    whole = {digest_of: f"v{number}" for number, edit in enumerate(edits) for digest_of in [edit[0].digest]}
    assembler = assembled(GATEWAY)
    seen: list[str] = []
    while any(queues):
        index = data.draw(st.sampled_from([i for i, queue in enumerate(queues) if queue]))
        part = queues[index].pop(0)
        if part is None:
            assembler.remove("api", "shop/a", index + 1)
        else:
            assembler.add(part)
        snapshot = assembler.snapshot()
        assert snapshot is not None
        entry = snapshot.apis.get("shop/a")
        if entry is not None:
            assert whole[entry.digest] == entry.section.version
            assert digest(entry.section) == entry.digest
            seen.append(entry.section.version)
    assert version(assembler) == f"v{len(lengths) - 1}"
    assert seen == sorted(seen)
    assert assembler.problems == {}


def test_an_edit_waits_for_its_last_part_and_says_so() -> None:
    first, second = api_parts("a", "v1"), api_parts("a", "v2")
    assembler = assembled([*GATEWAY, *first, *second[:-1]])
    assert version(assembler) == "v1"
    assert assembler.problems == {("api", "shop/a"): "parts of the section `api` are missing"}
    assembler.add(second[-1])
    assert version(assembler) == "v2"
    assert assembler.problems == {}


def test_an_edit_taken_back_half_way_leaves_no_problem() -> None:
    first, second = api_parts("a", "v1"), api_parts("a", "v2")
    assembler = assembled([*GATEWAY, *first, second[0], first[0]])
    assert version(assembler) == "v1"
    assert assembler.problems == {}


def test_a_section_goes_with_its_first_part_and_comes_back_with_it() -> None:
    parts = api_parts("a", "v1")
    assembler = assembled([*GATEWAY, *parts])
    assembler.remove("api", "shop/a", 1)
    assert version(assembler) is None
    assembler.add(parts[0])
    assert version(assembler) == "v1"


def test_a_section_that_shrinks_to_one_part_survives_the_removal_of_the_others() -> None:
    many, one = api_parts("a", "v1"), api_parts("a", "v2", length=10)
    assembler = assembled([*GATEWAY, *many, *one])
    for part in many[len(one) :]:
        assembler.remove("api", "shop/a", part.index)
    assert version(assembler) == "v2"


def test_a_part_left_over_from_a_longer_edit_is_no_problem() -> None:
    many, one = api_parts("a", "v1"), api_parts("a", "v2", length=10)
    assert len(many) > len(one)
    assembler = assembled([*GATEWAY, *one, many[-1]])
    assert version(assembler) == "v2"
    assert assembler.problems == {}


def test_nothing_is_served_without_the_gateways_own_section() -> None:
    assembler = assembled(api_parts("a", "v1"))
    assert assembler.snapshot() is None
    for part in GATEWAY:
        assembler.add(part)
    assert version(assembler) == "v1"
    assembler.remove("gateway", "", 1)
    assert assembler.snapshot() is None


def test_subscriptions_wait_for_their_api() -> None:
    found = subscriptions("a", "mobile")
    waiting = section_parts("subscriptions", "shop/a", digest(found), found)
    assembler = assembled([*GATEWAY, *waiting])
    before = assembler.snapshot()
    assert before is not None
    assert before.subscriptions == {}
    for part in api_parts("a", "v1"):
        assembler.add(part)
    after = assembler.snapshot()
    assert after is not None
    assert list(after.subscriptions) == ["shop/a"]


def part_of(text: str, kind: str = "api", key: str = "shop/a") -> Part:
    return Part(kind, key, text_digest(text.encode()), 1, 1, text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        (part_of('{"name": "a", "future": 1}'), "this version cannot read the section `api`"),
        (part_of("{"), "this version cannot read the section `api`"),
        (replace(part_of("{}"), data="{ }"), "not what its digest says"),
        (replace(part_of("{}"), digest=""), "not what its digest says"),
    ],
)
def test_what_cannot_be_read_leaves_the_section_before(part: Part, problem: str) -> None:
    assembler = assembled([*GATEWAY, *api_parts("a", "v1"), part])
    assert version(assembler) == "v1"
    assert problem in assembler.problems["api", "shop/a"]
    for good in api_parts("a", "v3"):
        assembler.add(good)
    assert version(assembler) == "v3"
    assert assembler.problems == {}


def test_a_section_under_the_key_of_another_api_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_PART", 10_000)
    one, found = section("b"), subscriptions("b", "mobile")
    strange = [
        *section_parts("api", "shop/a", digest(one), one),
        *section_parts("subscriptions", "shop/a", digest(found), found),
    ]
    assembler = assembled([*GATEWAY, *strange])
    assert version(assembler) is None
    assert set(assembler.problems) == {("api", "shop/a"), ("subscriptions", "shop/a")}
    assert all("is of `shop/b`" in problem for problem in assembler.problems.values())


def test_the_text_of_a_part_that_was_edited_by_hand_is_refused() -> None:
    parts = api_parts("a", "v1")
    edited = replace(parts[1], data=parts[1].data[:-1] + "!")
    assembler = assembled([*GATEWAY, *parts, edited])
    assert version(assembler) == "v1"
    assert "not what its digest says" in assembler.problems["api", "shop/a"]


def test_the_problem_of_a_section_goes_with_it() -> None:
    assembler = assembled([*GATEWAY, part_of("{")])
    assembler.remove("api", "shop/a", 1)
    assert assembler.problems == {}


def test_a_section_that_did_not_change_keeps_its_entry() -> None:
    """By the identity of entries an update of 5,000 APIs finds in no time what has changed."""
    assembler = assembled([*GATEWAY, *api_parts("a", "v1"), *api_parts("b", "v1")])
    before = assembler.snapshot()
    for part in [*api_parts("a", "v1"), *api_parts("b", "v2")]:
        assembler.add(part)
    after = assembler.snapshot()
    assert before is not None
    assert after is not None
    assert after.apis["shop/a"] is before.apis["shop/a"]
    assert after.apis["shop/b"] is not before.apis["shop/b"]
