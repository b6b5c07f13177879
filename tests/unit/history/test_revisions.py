"""An API with its plans -> ControllerRevision -> manifests."""

import re

import pytest
from history_world import NOW, api, history_of, plan

from penstock_operator.history.revisions import (
    label_of,
    number_of,
    resources_of,
    revision_of,
    revisions_of,
    to_prune,
    to_write,
)

DNS_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"


def test_a_revision_is_owned_by_its_api_so_that_it_goes_with_it() -> None:
    metadata = revision_of(api(uid="u9"), [], 1, NOW)["metadata"]
    owner = metadata["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == (
        "ApiDefinition",
        "orders",
        "u9",
        True,
    )
    assert metadata["labels"]["penstock.dev/api"] == "orders"


def test_the_same_content_has_the_same_name_whatever_the_order_of_keys_and_plans() -> None:
    one = revision_of(api(version="1", tags=["a"]), [plan("a"), plan("b")], 1, NOW)
    other = revision_of(api(tags=["a"], version="1"), [plan("b"), plan("a")], 2, NOW)
    assert one["metadata"]["name"] == other["metadata"]["name"]


@pytest.mark.parametrize(
    ("resource", "plans"),
    [
        (api(version="2"), [plan("a")]),
        (api(), []),
        (api(), [plan("a", order=1)]),
        (api(uid="u2"), [plan("a")]),
    ],
    ids=["spec", "plan gone", "plan changed", "another API of that name"],
)
def test_other_content_has_another_name(resource, plans) -> None:
    known = revision_of(api(), [plan("a")], 1, NOW)["metadata"]["name"]
    assert revision_of(resource, plans, 1, NOW)["metadata"]["name"] != known


def test_labels_annotations_and_status_of_the_api_are_no_part_of_a_revision() -> None:
    resource = api()
    known = revision_of(resource, [], 1, NOW)["metadata"]["name"]
    resource["status"] = {"conditions": []}
    resource["metadata"]["labels"] = {"team": "shop"}
    assert revision_of(resource, [], 1, NOW)["metadata"]["name"] == known


def test_the_first_version_is_revision_1() -> None:
    write = to_write(api(), [], [], NOW)
    assert write is not None
    assert (write.action, number_of(write.revision)) == ("create", 1)


def test_an_edit_is_the_next_revision() -> None:
    write = to_write(api(version="2"), [], history_of((api(), [])), NOW)
    assert write is not None
    assert (write.action, number_of(write.revision)) == ("create", 2)


def test_what_is_the_newest_revision_is_not_written_again() -> None:
    assert to_write(api(), [plan("a")], history_of((api(), [plan("a")])), NOW) is None


def test_an_old_state_that_comes_back_raises_the_number_of_its_revision() -> None:
    existing = history_of((api(), []), (api(version="2"), []))
    write = to_write(api(), [], existing, NOW)
    assert write is not None
    assert (write.action, number_of(write.revision)) == ("renumber", 3)
    first = next(one for one in existing if number_of(one) == 1)
    assert write.revision["metadata"]["name"] == first["metadata"]["name"]
    assert write.revision["data"] == first["data"]


def test_revisions_of_a_deleted_api_of_the_same_name_count_for_nothing() -> None:
    existing = history_of((api(uid="old"), []), (api(uid="old", version="2"), []))
    write = to_write(api(uid="new"), [], existing, NOW)
    assert write is not None
    assert (write.action, number_of(write.revision)) == ("create", 1)
    assert revisions_of(api(uid="new"), existing) == []


def test_prunes_the_oldest_beyond_the_limit() -> None:
    existing = history_of(*((api(version=str(number)), []) for number in range(5)))
    assert [number_of(one) for one in to_prune(reversed(existing), 3)] == [1, 2]
    assert to_prune(existing, 5) == ()


def test_the_newest_revision_is_never_pruned() -> None:
    existing = history_of((api(), []), (api(version="2"), []))
    assert [number_of(one) for one in to_prune(existing, 0)] == [1]


def test_gives_back_the_manifests_as_they_were() -> None:
    plans = [plan("silver", order=2), plan("gold")]
    manifests = resources_of(revision_of(api(version="3"), plans, 4, NOW))
    assert [(one["kind"], one["metadata"]["name"]) for one in manifests] == [
        ("ApiDefinition", "orders"),
        ("Plan", "gold"),
        ("Plan", "silver"),
    ]
    assert manifests[0]["spec"] == api(version="3")["spec"]
    assert manifests[2]["spec"] == plans[0]["spec"]
    assert {one["metadata"]["namespace"] for one in manifests} == {"shop"}


@pytest.mark.parametrize("name", ["a" * 253, "a" * 235 + "." + "b" * 17, "a" * 62 + "." + "b" * 100])
def test_long_names_make_valid_names_and_labels(name: str) -> None:
    revision = revision_of(api(name), [], 1, NOW)["metadata"]["name"]
    assert len(revision) <= 253
    assert re.fullmatch(DNS_SUBDOMAIN, revision)
    assert len(label_of(name)) <= 63
    assert re.fullmatch(r"[A-Za-z0-9][-A-Za-z0-9_.]*[A-Za-z0-9]", label_of(name))


def test_long_names_that_begin_alike_have_different_labels() -> None:
    assert label_of("a" * 100 + "b") != label_of("a" * 100 + "c")
