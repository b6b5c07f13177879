"""Every field of every resource is read by a module and set by a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools import field_table

FIELDS = list(field_table.fields())


def test_every_kind_and_every_policy_is_in_the_table() -> None:
    groups = {one.group for one in FIELDS}
    assert {"GatewayDeployment", "ApiDefinition", "Plan", "Subscription", "GatewaySecret", "Flows"} < groups
    assert "transformHeaders" in groups
    assert len(FIELDS) > 200


def test_no_field_is_without_a_reader() -> None:
    unread = [f"{one.group} {one.path}" for one in FIELDS if not field_table.readers(one)]
    assert sorted(unread) == sorted(field_table.FOR_PEOPLE)


def test_no_field_is_without_a_test() -> None:
    assert [f"{one.group} {one.path}" for one in FIELDS if not field_table.tests(one)] == []


def test_what_is_named_by_hand_is_true() -> None:
    claims = list(field_table.claims())
    assert len(claims) >= 4
    assert [key for key, holds in claims if not holds] == []


@pytest.mark.parametrize("group", ["Plan", "ApiDefinition", "Flows", "mock"])
def test_a_field_that_nothing_knows_has_neither(group: str) -> None:
    one = next(found for found in FIELDS if found.group == group)
    # Put together here, so that no word of this file is its name.
    unknown = replace(one, path=f"{one.path}9", python="un" + "read_9", alias="un" + "Read9")
    assert field_table.readers(unknown) == []
    assert field_table.tests(unknown) == []
