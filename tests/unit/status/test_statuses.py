"""What the status of each kind says in each situation."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from status_world import (
    API,
    GATEWAY,
    KEY,
    NOW,
    OWN_KEY,
    PLAN,
    SECRET,
    SUBSCRIPTION,
    World,
    api,
    plan,
    resource,
    subscription,
)

from penstock_operator.graph.build import build_graph
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.problems import Problem
from penstock_operator.resources.status import STATUSES
from penstock_operator.status.build import Built, StatusMemo, build_statuses
from penstock_operator.status.observed import Observed, SecretVersion, Unparsed, value_version


@pytest.mark.parametrize("name", [API, PLAN, SUBSCRIPTION, GATEWAY])
def test_what_all_pods_serve_is_ready(name: ResourceId) -> None:
    world = World()
    world.run()
    conditions = {one.type: one.status for one in world.status(name).conditions}
    assert conditions == dict.fromkeys(("Accepted", "ResolvedRefs", "Programmed", "Ready"), "True")


def test_an_api_shows_its_urls_gateways_and_pods() -> None:
    world = World()
    world.resources[API] = api(listeners=[{"http": {"hosts": ["a.example"], "path": "/x/"}}, {"http": {}}])
    world.run()
    status = world.status(API)
    assert status.urls == ("http://a.example:8080/x", "http://203.0.113.7:8080/")
    assert (status.gateways, status.pods) == (("shop/edge",), "2/2")


def test_a_kafka_api_shows_where_clients_begin() -> None:
    world = World()
    by_host = {"type": "Host", "bootstrap": "{api}.example.com", "broker": "{api}-{broker}.example.com"}
    tls = {"certificateRefs": [{"name": "edge-tls"}]}
    listeners = [
        {"name": "http", "port": 8080},
        {"name": "hosts", "protocol": "Kafka", "port": 9092, "tls": tls, "routing": by_host},
        *(
            {"name": name, "protocol": "Kafka", "routing": {"type": "Port", "range": ports, "host": host}}
            for name, ports, host in (("six", "9100-9120", "2001:db8::1"), ("else", "9200-9220", "e"))
        ),
    ]
    endpoint = {"name": "main", "kafka": {"bootstrapServers": ["kafka:9092"]}}
    world.resources[GATEWAY] = resource("GatewayDeployment", "edge", {"listeners": listeners})
    world.resources[API] = api(
        type="Kafka",
        listeners=[{"kafka": {"port": 9101}}],
        endpointGroups=[{"name": "default", "endpoints": [endpoint]}],
    )
    world.run()
    assert world.status(API).urls == ("kafka://orders.example.com:9092", "kafka://[2001:db8::1]:9101")


def test_a_subscription_shows_what_it_is_for_and_where_its_key_is() -> None:
    world = World()
    world.run()
    status = world.status(SUBSCRIPTION)
    assert (status.plan, status.api, status.application) == ("gold", "orders", "app")
    assert (status.approval, status.api_key.secret_ref.name) == ("NotNeeded", "mobile-key")


def test_a_plan_counts_its_subscriptions_and_a_gateway_its_apis_and_pods() -> None:
    world = World()
    world.run()
    assert (world.status(PLAN).api, world.status(PLAN).subscriptions) == ("orders", 1)
    gateway = world.status(GATEWAY)
    assert (gateway.pods, gateway.apis, gateway.addresses) == ("2/2", 1, ("203.0.113.7",))


def test_a_gateway_is_not_programmed_while_objects_of_others_are_in_its_way() -> None:
    world = World()
    world.run()
    world.gateway = replace(world.gateway, taken=("Role shop/edge is there",))
    world.run()
    assert world.reason(GATEWAY, "Programmed") == world.reason(GATEWAY, "Ready") == ("False", "NameTaken")
    assert world.condition(GATEWAY, "Programmed").message == "Role shop/edge is there"


def test_a_generation_that_one_pod_does_not_serve_yet_is_pending() -> None:
    world = World(pods={"one": 10, "two": 9})
    world.run()
    assert world.reason(API, "Programmed") == world.reason(API, "Ready") == ("False", "Pending")
    assert world.status(API).pods == "1/2"
    world.pods["two"] = 10
    world.run()
    assert world.reason(API, "Programmed") == ("True", "Programmed")
    assert world.status(API).pods == "2/2"


def test_what_is_not_published_yet_is_pending() -> None:
    world = World(publishes=False)
    world.run()
    for name in (API, PLAN, SUBSCRIPTION, GATEWAY):
        assert world.reason(name, "Programmed") == ("False", "Pending")


def test_an_edit_is_pending_until_it_is_served() -> None:
    world = World()
    world.run()
    world.resources[API], world.version = api(generation=2, version="2"), 2000
    world.run()
    assert world.reason(API, "Programmed") == ("False", "Pending")
    assert world.status(API).observed_generation == 2


def test_that_pods_serve_what_was_published_before_an_edit_does_not_count() -> None:
    world = World()
    world.run()
    world.resources[API], world.publishes = api(generation=2, version="2"), False
    world.run()
    assert world.reason(API, "Programmed") == ("False", "Pending")
    assert world.status(API).pods == "0/2"


def test_an_edit_beside_it_leaves_a_resource_programmed() -> None:
    world = World()
    world.run()
    world.resources[API], world.version = api(generation=2, version="2"), 2000
    assert world.run().keys() == {API}
    assert world.reason(PLAN, "Programmed") == world.reason(SUBSCRIPTION, "Programmed")


def test_the_reason_of_a_pod_is_told() -> None:
    world = World(errors={"shop/orders": "the secret shop/x is not there"})
    world.run()
    condition = world.condition(API, "Programmed")
    assert (condition.status, condition.reason) == ("False", "PodError")
    assert condition.message == "pod one: the secret shop/x is not there"
    assert world.reason(GATEWAY, "Programmed") == ("True", "Programmed")


def test_without_pods_nothing_is_programmed() -> None:
    world = World(pods={})
    world.run()
    assert world.reason(API, "Programmed") == ("False", "NoPods")
    assert world.reason(GATEWAY, "Programmed") == ("False", "NoPods")


def test_a_gateway_whose_pods_are_not_ready_is_not_ready() -> None:
    world = World()
    world.gateway = replace(world.gateway, ready=1)
    world.run()
    assert world.reason(GATEWAY, "Ready") == ("False", "PodsNotReady")
    assert world.status(GATEWAY).pods == "1/2"


def test_an_api_that_no_gateway_serves_says_why() -> None:
    world = World()
    world.resources[API] = api(tags=["eu"])
    world.run()
    assert world.reason(API, "Programmed") == ("False", "NoGateway")
    assert "no gateway covers the tags eu" in world.condition(API, "Programmed").message
    assert world.reason(SUBSCRIPTION, "Programmed") == ("False", "NotServed")


def test_a_stopped_api_is_not_ready() -> None:
    world = World()
    world.resources[API] = api(state="Stopped")
    world.run()
    assert world.reason(API, "Accepted") == ("True", "Accepted")
    assert world.reason(API, "Ready") == ("False", "Stopped")


def test_an_api_without_plans_is_not_ready() -> None:
    world = World()
    del world.resources[PLAN], world.resources[SUBSCRIPTION]
    world.run()
    assert world.reason(API, "Programmed") == ("True", "Programmed")
    assert world.reason(API, "Ready") == ("False", "NoPlans")


def test_a_broken_generation_is_not_programmed_while_the_one_before_is_served() -> None:
    world = World()
    world.run()
    serving = world.graph()
    world.resources[API] = api(generation=2, endpointGroups=[
        {"name": "default", "endpoints": [{"name": "main", "url": "http://backend:0"}]}
    ])  # fmt: skip
    world.run(serving)
    assert world.reason(API, "Accepted") == ("False", "InvalidUrl")
    assert world.reason(API, "Programmed") == ("False", "NotAccepted")
    assert world.status(API).pods == "0/2"
    assert world.reason(PLAN, "Programmed") == ("True", "Programmed")


def test_a_plan_without_its_api_and_a_subscription_without_its_plan_say_so() -> None:
    world = World()
    del world.resources[API]
    world.resources[SUBSCRIPTION] = subscription(of="silver", apiKey=OWN_KEY)
    world.run()
    assert world.reason(PLAN, "ResolvedRefs") == ("False", "ApiNotFound")
    assert world.reason(SUBSCRIPTION, "ResolvedRefs") == ("False", "PlanNotFound")
    assert world.reason(SUBSCRIPTION, "Programmed") == ("False", "NotServed")


@pytest.mark.parametrize(
    ("annotations", "approval", "reason"),
    [
        ({}, "Pending", "PendingApproval"),
        ({"penstock.dev/approval": "Rejected"}, "Rejected", "ApprovalRejected"),
        ({"penstock.dev/approval": "Approved"}, "Approved", "Ready"),
    ],
)
def test_approval_shows(annotations: dict[str, str], approval: str, reason: str) -> None:
    world = World()
    world.resources[PLAN] = plan(approval="Manual")
    world.resources[SUBSCRIPTION] = subscription(apiKey=OWN_KEY, annotations=annotations)
    world.run()
    assert world.status(SUBSCRIPTION).approval == approval
    assert world.reason(SUBSCRIPTION, "Ready")[1] == reason


def test_a_subscription_whose_key_is_being_made_is_accepted_but_not_ready() -> None:
    world = World()
    world.resources[SUBSCRIPTION] = subscription()
    world.run()
    assert world.reason(SUBSCRIPTION, "Accepted") == ("True", "KeyPending")
    assert world.reason(SUBSCRIPTION, "Ready") == ("False", "KeyPending")
    assert world.status(SUBSCRIPTION).api_key.secret_ref.name == "mobile-api-key"


def test_a_subscription_ends_without_an_edit() -> None:
    world = World()
    world.resources[SUBSCRIPTION] = subscription(apiKey=OWN_KEY, endsAt="2026-11-24T13:00:00Z")
    world.run()
    assert world.reason(SUBSCRIPTION, "Ready") == ("True", "Ready")
    assert world.graph().next_change == (NOW + timedelta(hours=1)).timestamp()
    world.later(hours=1)
    assert world.run().keys() == {SUBSCRIPTION}
    assert world.reason(SUBSCRIPTION, "Ready") == ("False", "Expired")
    assert world.graph().next_change is None


def test_a_subscription_starts_without_an_edit() -> None:
    world = World()
    world.resources[SUBSCRIPTION] = subscription(apiKey=OWN_KEY, startsAt="2026-11-24T12:00:30Z")
    world.run()
    assert world.reason(SUBSCRIPTION, "Ready") == ("False", "NotStarted")
    world.later(seconds=30)
    world.run()
    assert world.reason(SUBSCRIPTION, "Ready") == ("True", "Ready")


def test_a_paused_subscription_is_not_ready() -> None:
    world = World()
    world.resources[SUBSCRIPTION] = subscription(apiKey=OWN_KEY, state="Paused")
    world.run()
    assert world.reason(SUBSCRIPTION, "Ready") == ("False", "Paused")


def test_a_gateway_secret_shows_the_version_of_its_value_but_never_the_value() -> None:
    world = World()
    source = {"source": {"kubernetes": {"name": "mobile-key", "key": "key"}}}
    world.resources[SECRET] = resource("GatewaySecret", "token", source)
    version = value_version(KEY.encode(), b"a salt of the operator")
    world.secrets["shop/token"] = SecretVersion(version, NOW)
    world.run()
    assert (world.status(SECRET).version, world.status(SECRET).since) == (version, "2026-11-24T12:00:00Z")
    assert KEY not in msgspec.json.encode(list(world.statuses.values())).decode()


def test_versions_of_values_differ_with_the_value_and_the_salt() -> None:
    versions = {value_version(value, salt * 16) for value in (b"a", b"b") for salt in (b"1", b"2")}
    assert len(versions) == 4


def test_what_cannot_be_read_as_its_kind_is_not_accepted() -> None:
    graph = build_graph([])
    problem = Problem("Error", "UnknownField", "unknown field `specc`", str(API), "specc")
    observed = Observed(NOW, unparsed={API: Unparsed(3, (problem,))})
    status = build_statuses(Built(graph, graph, {}), observed, StatusMemo())[API].new
    accepted = status.condition("Accepted")
    assert accepted is not None
    assert (accepted.status, accepted.reason, accepted.message) == (
        "False",
        "UnknownField",
        "specc: unknown field `specc`",
    )
    assert status.observed_generation == 3


@pytest.mark.parametrize("kind", STATUSES)
def test_a_status_is_read_back_as_it_was_written(kind: str) -> None:
    world = World()
    source = {"source": {"kubernetes": {"name": "mobile-key", "key": "key"}}}
    world.resources[SECRET] = resource("GatewaySecret", "token", source)
    world.run()
    status = next(status for id_, status in world.statuses.items() if id_.kind == kind)
    assert msgspec.convert(msgspec.to_builtins(status), STATUSES[kind]) == status
