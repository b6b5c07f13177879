"""A revision and what is in the cluster now -> the writes of a rollback."""

import pytest
from history_world import api, history_of, plan

from penstock_operator.history.revisions import number_of
from penstock_operator.history.rollback import Live, Operation, RollbackError, choose, plan_rollback


def live(resource, *plans, subscriptions=None) -> Live:
    return Live(resource, tuple(plans), subscriptions or {})


def shown(operations: tuple[Operation, ...]) -> list[tuple[str, str]]:
    return [(one.action, one.resource["metadata"]["name"]) for one in operations]


def test_replaces_the_whole_spec_and_keeps_the_metadata() -> None:
    [revision] = history_of((api(), []))
    now = api(version="2", description="added since")
    now["metadata"]["labels"] = {"team": "shop"}
    [operation] = plan_rollback(revision, live(now))
    assert operation.action == "replace"
    assert operation.resource["spec"] == api()["spec"]
    assert operation.resource["metadata"] == now["metadata"]


def test_writes_nothing_that_is_as_it_was() -> None:
    [revision] = history_of((api(), [plan("a"), plan("b")]))
    assert plan_rollback(revision, live(api(), plan("a"), plan("b"))) == ()
    changed = live(api(), plan("a"), plan("b", order=3))
    assert shown(plan_rollback(revision, changed)) == [("replace", "b")]


def test_makes_plans_that_are_gone_again() -> None:
    [revision] = history_of((api(), [plan("gold")]))
    [operation] = plan_rollback(revision, live(api()))
    assert operation.action == "create"
    assert operation.resource["spec"] == plan("gold")["spec"]
    assert set(operation.resource["metadata"]) == {"name", "namespace"}


def test_deletes_plans_that_came_later_before_all_else() -> None:
    [revision] = history_of((api(), [plan("gold")]))
    now = live(api(version="2"), plan("open"))
    assert shown(plan_rollback(revision, now)) == [
        ("delete", "open"),
        ("replace", "orders"),
        ("create", "gold"),
    ]


def test_plans_of_other_apis_are_left_alone() -> None:
    [revision] = history_of((api(), []))
    assert plan_rollback(revision, live(api(), plan("other", "invoices"))) == ()


def test_does_not_delete_a_plan_with_subscriptions_unless_told_to() -> None:
    [revision] = history_of((api(), []))
    now = live(api(), plan("gold"), subscriptions={"gold": ("a", "b", "c", "d")})
    with pytest.raises(RollbackError, match=r"Plan gold .* subscriptions \(a, b, c, \.\.\.\): --later-plans"):
        plan_rollback(revision, now)
    assert shown(plan_rollback(revision, now, "delete")) == [("delete", "gold")]
    assert plan_rollback(revision, now, "keep") == ()


def test_does_not_take_a_plan_from_another_api() -> None:
    [revision] = history_of((api(), [plan("gold")]))
    with pytest.raises(RollbackError, match=r"Plan gold .* ApiDefinition invoices now"):
        plan_rollback(revision, live(api(), plan("gold", "invoices")))


def test_chooses_the_newest_revision_that_differs_from_now() -> None:
    revisions = history_of((api(), []), (api(version="2"), []), (api(version="3"), []))
    assert number_of(choose(revisions, live(api(version="3")), None)) == 2
    assert number_of(choose(revisions, live(api(version="broken")), None)) == 3
    assert number_of(choose(revisions, live(api(version="3")), 1)) == 1


def test_says_which_revisions_there_are() -> None:
    revisions = history_of((api(), []), (api(version="2"), []))
    with pytest.raises(RollbackError, match="no revision 7; revisions: 1, 2"):
        choose(revisions, live(api()), 7)
    with pytest.raises(RollbackError, match="no revision differs from what is there now; revisions: 1"):
        choose(revisions[:1], live(api()), None)
