"""Only what is another is written, times are kept while conditions hold, and Events tell of transitions."""

from dataclasses import replace

import msgspec
from status_world import API, GATEWAY, OWN_KEY, PLAN, SUBSCRIPTION, World, api, plan, resource, subscription

from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.parse import Parsed
from penstock_operator.status.build import StatusMemo
from penstock_operator.status.events import transitions

OTHER = ResourceId("ApiDefinition", "shop", "other")


def two_apis() -> World:
    world = World()
    world.resources[OTHER] = api("other")
    world.resources[ResourceId("Plan", "shop", "open")] = plan("open", "other", security={"keyless": {}})
    return world


def test_a_second_look_changes_nothing() -> None:
    world = two_apis()
    assert len(world.run()) == 6
    world.later(hours=1)
    assert world.run() == {}


def test_an_edit_leaves_the_statuses_of_other_apis_the_same_objects() -> None:
    world = two_apis()
    world.run()
    before = world.status_memo.groups["shop/other"]
    world.resources[API] = api(generation=2, version="2")
    assert world.run().keys() == {API}
    assert world.status_memo.groups["shop/other"] is before


def test_a_subscription_more_is_seen_by_its_plan_alone() -> None:
    world = World()
    world.run()
    more = ResourceId("Subscription", "shop", "more")
    world.resources[more] = subscription("more")
    assert world.run().keys() == {more, PLAN}


def test_a_condition_keeps_its_time_until_its_status_is_another() -> None:
    world = World()
    world.run()
    world.later(hours=1)
    world.resources[API] = api(generation=2, state="Stopped")
    world.run()
    assert world.condition(API, "Accepted").last_transition_time == "2026-11-24T12:00:00Z"
    assert world.condition(API, "Accepted").observed_generation == 2
    assert world.condition(API, "Ready").last_transition_time == "2026-11-24T13:00:00Z"


def test_after_a_restart_what_objects_hold_is_not_written_again() -> None:
    world = World()
    world.run()
    for name in (API, PLAN, SUBSCRIPTION, GATEWAY):
        world.resources[name] = with_status(world.resources[name], world.status(name))
    world.later(hours=1)
    world.status_memo = StatusMemo()
    assert world.run() == {}


def test_after_a_restart_times_are_those_of_the_objects() -> None:
    world = World()
    world.run()
    edited = with_status(api(generation=2, state="Stopped"), world.status(API))
    world.resources[API], world.status_memo = edited, StatusMemo()
    world.later(hours=1)
    world.run()
    assert world.condition(API, "Accepted").last_transition_time == "2026-11-24T12:00:00Z"


def test_a_pod_more_is_seen_by_its_apis_and_gateway_alone() -> None:
    world = World()
    world.run()
    world.pods["three"] = 1000
    world.gateway = replace(world.gateway, wanted=3, ready=3)
    assert world.run().keys() == {API, GATEWAY}
    assert world.status(API).pods == "3/3"


def test_events_tell_once_of_what_has_changed() -> None:
    world = World(pods={"one": 1, "two": 1})
    first = world.run()
    assert transitions(None, first[API].new) == ()
    world.pods = {"one": 10, "two": 10}
    change = world.run()[API]
    assert [(one.type, one.reason) for one in transitions(change.old, change.new)] == [
        ("Normal", "Programmed")
    ]
    assert transitions(change.new, change.new) == ()


def test_events_warn_of_what_went_wrong_once_for_each_reason() -> None:
    world = World()
    world.run()
    world.resources[SUBSCRIPTION] = subscription(apiKey={"secretRef": {"name": "gone", "key": "key"}})
    change = world.run()[SUBSCRIPTION]
    found = transitions(change.old, change.new)
    assert [(one.type, one.reason) for one in found] == [("Warning", "SecretNotFound")]
    assert "there is no Secret shop/gone" in found[0].message


def test_an_approved_subscription_is_news() -> None:
    world = World()
    world.resources[PLAN] = plan(approval="Manual")
    world.resources[SUBSCRIPTION] = subscription(apiKey=OWN_KEY)
    first = world.run()[SUBSCRIPTION]
    assert [one.reason for one in transitions(first.old, first.new)] == ["PendingApproval"]
    approved = {"penstock.dev/approval": "Approved"}
    world.resources[SUBSCRIPTION] = subscription(apiKey=OWN_KEY, annotations=approved)
    change = world.run()[SUBSCRIPTION]
    assert [one.reason for one in transitions(change.old, change.new)] == ["Accepted", "Programmed"]


def with_status(parsed: Parsed, status: msgspec.Struct) -> Parsed:
    data = parsed.manifest.data
    metadata = {key: value for key, value in data["metadata"].items() if key not in ("name", "namespace")}
    built = msgspec.to_builtins(status)
    return resource(data["kind"], data["metadata"]["name"], data["spec"], **metadata, status=built)
