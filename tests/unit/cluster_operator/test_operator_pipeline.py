"""Resources as they are -> what is served, with the last good version of what an edit broke."""

from __future__ import annotations

import pytest
from cluster_world import (
    API,
    BROKEN,
    EDGE,
    PLAN,
    SUBSCRIPTION,
    UNPARSABLE,
    World,
    api,
    gateway,
    plan,
    secret,
    shop,
    subscription,
)

from gateway_runtime.snapshot.types import Snapshot
from penstock_operator.graph.types import ResourceId
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.parse import Parsed, parse

KEY = {"secretRef": {"name": "mobile-key", "key": "key"}}


def snapshot(world: World) -> Snapshot:
    return world.run().snapshots["shop/edge"]


def version(world: World) -> str | None:
    """The version of the API that is served; None where none is."""
    entry = snapshot(world).apis.get("shop/orders")
    return entry.section.version if entry else None


def let_in(world: World) -> list[tuple[str, str]]:
    """The applications that are let in, with their plans."""
    entry = snapshot(world).subscriptions.get("shop/orders")
    return [(one.application, one.plan) for one in entry.section.subscriptions] if entry else []


def parsed(found: KubeObject) -> Parsed:
    made = parse(Manifest("", 0, 0, found))
    assert isinstance(made, Parsed)
    return made


def key_shop(approval: str = "Auto") -> World:
    """An API whose plan asks for a key, and an application with a key of its own."""
    world = shop()
    world.put(plan(security={"apiKey": {}}, approval=approval), secret("mobile-key", key="0123456789" * 3))
    return world


def edit(number: int, text: str, **spec: object) -> KubeObject:
    """The API at a resourceVersion, with a version of its own."""
    made = api(version=number)
    return {**made, "spec": {**made["spec"], "version": text, **spec}}


@pytest.mark.parametrize("change", [BROKEN, UNPARSABLE], ids=["not accepted", "not parsed"])
def test_a_broken_edit_leaves_the_good_version(change: dict[str, object]) -> None:
    world = shop()
    world.put(edit(2, "good"))
    assert version(world) == "good"
    world.put(edit(3, "bad", **change))
    outcome = world.run()
    assert version(world) == "good"
    assert outcome.lost == frozenset()


def test_one_broken_edit_after_another_leaves_the_good_version() -> None:
    world = shop()
    world.put(edit(2, "good"))
    world.run()
    for number, change in enumerate((BROKEN, UNPARSABLE, BROKEN, BROKEN), 3):
        world.put(edit(number, f"bad {number}", **change))
        assert version(world) == "good"


def test_an_edit_that_mends_is_served_and_the_version_before_forgotten() -> None:
    world = shop()
    world.put(edit(2, "first"))
    world.run()
    world.put(edit(3, "bad", **BROKEN))
    world.run()
    world.put(edit(4, "second"))
    assert version(world) == "second"
    world.put(edit(5, "bad again", **BROKEN))
    assert version(world) == "second"


def test_what_was_deleted_while_it_was_broken_does_not_come_back() -> None:
    world = shop()
    world.put(edit(2, "good"))
    world.run()
    world.put(edit(3, "bad", **BROKEN))
    world.run()
    world.remove(api())
    assert version(world) is None
    world.put(edit(5, "bad", **BROKEN))
    outcome = world.run()
    assert version(world) is None
    assert API in outcome.lost


def test_what_has_no_good_version_is_told_as_lost() -> None:
    world = World()
    world.put(gateway(), edit(2, "bad", **BROKEN), plan(apiRef=7), plan("silver", security={"apiKey": {}}))
    outcome = world.run()
    assert version(world) is None
    assert {API, PLAN} <= outcome.lost
    assert ResourceId("Plan", "shop", "silver") not in outcome.lost


@pytest.mark.parametrize("change", [BROKEN, UNPARSABLE], ids=["not accepted", "not parsed"])
def test_a_version_out_of_the_history_is_served_until_the_edit_is_mended(change: dict[str, object]) -> None:
    world = World()
    world.put(gateway(), edit(2, "bad", **change), plan())
    assert API in world.run().lost
    world.pipeline.remember({API: parsed(edit(1, "old"))})
    assert version(world) == "old"
    assert world.run().lost == frozenset()
    world.put(edit(3, "mended"))
    assert version(world) == "mended"


def test_a_version_out_of_the_history_replaces_none_that_was_seen() -> None:
    world = shop()
    world.put(edit(2, "seen"))
    world.run()
    world.put(edit(3, "bad", **BROKEN))
    world.run()
    world.pipeline.remember({API: parsed(edit(1, "old"))})
    assert version(world) == "seen"


def test_a_broken_plan_leaves_its_good_version_beside_an_edit_of_its_api() -> None:
    world = shop()
    world.run()
    world.put(plan(version=2, security={"jwt": {"key": {"secretRef": {"name": "gone", "key": "k"}}}}))
    world.put(edit(3, "new"))
    section = snapshot(world).apis["shop/orders"].section
    assert section.version == "new"
    assert [type(one.security).__name__ for one in section.plans] == ["KeylessSecurity"]


def test_a_broken_gateway_is_served_as_it_was() -> None:
    world = shop()
    world.run()
    world.put(gateway(version=2, listeners=[{"name": "a", "port": 0}]))
    assert version(world) == ""
    assert world.run().serving.gateways.keys() == {"shop/edge"}
    assert EDGE not in world.run().lost


def test_a_mistake_in_a_subscription_leaves_its_good_version() -> None:
    world = key_shop()
    world.put(subscription(apiKey=KEY))
    assert let_in(world) == [("app", "gold")]
    world.put(subscription(version=2, planRef={"name": "no-such-plan"}, apiKey=KEY))
    assert let_in(world) == [("app", "gold")]


@pytest.mark.parametrize("decision", ["Rejected", ""])
def test_a_subscription_that_is_denied_is_out_at_once(decision: str) -> None:
    world = key_shop("Manual")
    world.put(subscription(apiKey=KEY, annotations={"penstock.dev/approval": "Approved"}))
    assert let_in(world) == [("app", "gold")]
    world.put(subscription(version=2, apiKey=KEY, annotations={"penstock.dev/approval": decision}))
    assert let_in(world) == []
    assert SUBSCRIPTION not in world.run().lost


def test_a_subscription_that_is_denied_with_a_mistake_is_out_at_once() -> None:
    world = key_shop("Manual")
    world.put(subscription(apiKey=KEY, annotations={"penstock.dev/approval": "Approved"}))
    world.run()
    lost = {"secretRef": {"name": "gone", "key": "key"}}
    world.put(subscription(version=2, apiKey=lost, annotations={"penstock.dev/approval": "Rejected"}))
    assert let_in(world) == []


@pytest.mark.parametrize("state", ["Paused", "Closed"])
def test_a_subscription_that_is_paused_with_a_mistake_is_out_at_once(state: str) -> None:
    world = key_shop()
    world.put(subscription(apiKey=KEY))
    assert let_in(world) == [("app", "gold")]
    lost = {"secretRef": {"name": "gone", "key": "key"}}
    world.put(subscription(version=2, apiKey=lost, state=state))
    assert let_in(world) == []
    world.put(subscription(version=3, apiKey=lost))
    assert let_in(world) == [], "a version of before the pause came back"


def test_an_api_that_is_stopped_with_a_mistake_is_out_at_once() -> None:
    world = shop()
    world.put(edit(2, "good"))
    world.run()
    world.put(edit(3, "bad", **BROKEN))
    assert version(world) == "good"
    world.put(edit(4, "bad", state="Stopped", **BROKEN))
    assert version(world) is None
    assert world.run().lost == frozenset(), "what is published of it would stay"


def test_a_gateway_without_a_pepper_has_no_snapshot() -> None:
    world = shop()
    world.peppers = {}
    assert world.run().snapshots == {}
    world.peppers = {"shop/edge": b"q" * 32}
    assert world.run().snapshots.keys() == {"shop/edge"}


def test_what_has_not_changed_gives_the_same_entries() -> None:
    world = shop()
    world.put(api("parts"), plan("parts", of="parts"))
    before = snapshot(world).apis
    world.put(edit(2, "new"))
    after = snapshot(world).apis
    assert after["shop/parts"] is before["shop/parts"]
    assert after["shop/orders"] is not before["shop/orders"]
