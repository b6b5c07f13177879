"""Two contents of an API -> what changed between them."""

from history_world import api, plan

from penstock_operator.history.changes import as_yaml, summary, unified_diff
from penstock_operator.history.revisions import content_of


def test_the_first_revision_names_its_plans() -> None:
    assert summary(None, content_of(api(), [plan("gold"), plan("basic")])) == (
        "first revision; plans: basic, gold"
    )


def test_names_the_fields_that_changed() -> None:
    groups = [{"name": "default", "endpoints": [{"name": "primary", "url": "http://other:8080"}]}]
    older, newer = content_of(api(), []), content_of(api(endpointGroups=groups, version="2"), [])
    assert summary(older, newer) == "spec.endpointGroups[0].endpoints[0].url, spec.version"


def test_a_list_of_another_length_is_named_as_a_whole() -> None:
    older, newer = content_of(api(tags=["a"]), []), content_of(api(tags=["a", "b"]), [])
    assert summary(older, newer) == "spec.tags"


def test_names_plans_that_came_went_and_changed() -> None:
    older = content_of(api(), [plan("a"), plan("b")])
    newer = content_of(api(), [plan("b", order=1), plan("c")])
    assert summary(older, newer) == "plan a removed, plan b spec.order, plan c added"


def test_counts_what_it_does_not_show() -> None:
    older = content_of(api(), [])
    newer = content_of(api(tags=["a"], version="1", description="x", state="Stopped"), [])
    assert summary(older, newer) == "spec.description, spec.state, spec.tags and 1 more"


def test_the_diff_shows_changed_lines_under_both_names() -> None:
    text = unified_diff([api(version="1")], [api(version="2")], ("before", "after"))
    assert text.startswith("--- before\n+++ after\n")
    assert "-  version: '1'\n+  version: '2'\n" in text


def test_the_order_of_keys_is_no_difference() -> None:
    assert unified_diff([api(version="1", tags=[])], [api(tags=[], version="1")], ("a", "b")) == ""


def test_yaml_has_names_first_no_anchors_and_no_folded_lines() -> None:
    shared = {"description": "word " * 100, "name": "x"}
    text = as_yaml([{"kind": "Plan", "spec": {"flows": [shared, shared]}}])
    assert "&" not in text
    assert "- name: x\n" in text
    assert "description: 'word word" in text
    assert len(text.splitlines()) == 7
