"""Flows: which are for a request, and in which order their steps run."""

import pytest
from msgspec.structs import replace

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Request
from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.program.compile import ApiCompiler
from gateway_runtime.program.flows import CompiledFlow, Selection
from gateway_runtime.program.kafka import KafkaProgram
from gateway_runtime.program.program import compile_program
from gateway_runtime.snapshot.kafka import KafkaApi, KafkaCluster
from gateway_runtime.snapshot.types import Flow, GatewaySection, KeylessSecurity, PathMatch, Plan

ORDER = ["platform", "plan", "api1", "api2", "|", "api1", "api2", "plan", "platform"]


@pytest.fixture
def layered(section, snapshot, surroundings, mark):
    """An API with flows on all three levels; a selector, where given, is the plan flow's."""

    def make(**selector: object):
        def flow(name: str, **fields: object) -> Flow:
            return Flow(request=(mark(name),), response=(mark(name),), **fields)

        plan = Plan(name="open", security=KeylessSecurity(), flows=(flow("plan", **selector),))
        api = section("orders", plans=(plan,), flows=(flow("api1"), flow("api2")))
        program = compile_program(snapshot(api, flows=(flow("platform"),)), surroundings)
        assert program.errors(program.apis) == {}
        return program.apis["shop/orders"]

    return make


def test_requests_pass_platform_plan_api_and_responses_api_plan_platform(layered, walk) -> None:
    api = layered()
    assert api.static is not None
    assert walk(api) == ORDER


def test_the_order_is_the_same_where_flows_depend_on_the_request(layered, walk) -> None:
    api = layered(methods=("GET",))
    assert api.static is None
    assert walk(api) == ORDER


def test_a_flow_that_is_not_for_the_request_is_left_out_of_both_phases(layered, walk) -> None:
    without = [mark for mark in ORDER if mark != "plan"]
    assert walk(layered(methods=("POST",))) == without
    assert walk(layered(condition="{#request.method == 'POST'}")) == without
    assert walk(layered(path=PathMatch(value="/other"))) == without


def test_a_platform_flow_of_kafka_alone_is_nothing_to_requests(section, snapshot, surroundings, mark) -> None:
    flow = Flow(condition="{#request.method == 'POST'}", interact=(mark("kafka"),))
    program = compile_program(snapshot(section("orders"), flows=(flow,)), surroundings)
    api = program.apis["shop/orders"]
    assert (program.errors(program.apis), api.static is not None) == ({}, True)


def test_a_platform_flow_of_requests_is_nothing_to_a_kafka_api(section, snapshot, surroundings, mark) -> None:
    cluster = KafkaCluster(name="a", bootstrap_servers=("kafka:9092",))
    api = section("orders", routes=(), endpoint_groups=(), kafka=KafkaApi(name="orders", cluster=cluster))
    gateway = GatewaySection(flows=(Flow(condition="{#broken(", request=(mark("http"),)),))
    compiler = ApiCompiler(api, gateway, surroundings)
    assert KafkaProgram(compiler, api, gateway, None).key == "shop/orders"
    own = Flow(condition="{#broken(", interact=(mark("kafka"),))
    with pytest.raises(ExpressionError):
        KafkaProgram(compiler, replace(api, flows=(own,)), gateway, None)


def matching(method: str, target: str, **selector: object) -> dict[str, str] | None:
    """The path parameters where the flow is for the request, else None."""
    flow = CompiledFlow(Flow(**selector), Selection((), ()), None)
    request = Request(method, target, "", "HTTP/1.1", Headers([], []))
    exchange = Exchange(request, ApiInfo("a", "n", "", {}))
    return (request.path_params or {}) if flow.matches(exchange) else None


PATHS = [
    ("Prefix", "/", "/", {}),
    ("Prefix", "/", "/a/b", {}),
    ("Prefix", "/a", "/a", {}),
    ("Prefix", "/a", "/a/", {}),
    ("Prefix", "/a", "/a/b", {}),
    ("Prefix", "/a", "/ab", None),
    ("Prefix", "/a/b", "/a", None),
    ("Prefix", "/a/", "/a/b", {}),
    ("Prefix", "/a/:id", "/a/7/b", {"id": "7"}),
    ("Prefix", "/a/:id", "/a/", None),
    ("Prefix", "/:x/b/:y", "/1/b/2", {"x": "1", "y": "2"}),
    ("Prefix", "/a/:id", "/a/x%20y%2Fz", {"id": "x y/z"}),
    ("Exact", "/", "/", {}),
    ("Exact", "/", "/a", None),
    ("Exact", "/a", "/a", {}),
    ("Exact", "/a", "/a/b", None),
    ("Exact", "/a/:id", "/a/7", {"id": "7"}),
    ("Exact", "/a/:id", "/a/7/b", None),
]


@pytest.mark.parametrize(("kind", "wanted", "path", "parameters"), PATHS)
def test_a_path_selects_by_whole_segments(kind: str, wanted: str, path: str, parameters: object) -> None:
    assert matching("GET", path, path=PathMatch(type=kind, value=wanted)) == parameters


def test_methods_select() -> None:
    assert matching("PUT", "/", methods=("POST", "PUT")) is not None
    assert matching("GET", "/", methods=("POST", "PUT")) is None
    assert matching("ANY", "/") is not None


def test_every_matching_flow_sees_its_own_path_parameters() -> None:
    request = Request("GET", "/users/7/orders", "", "HTTP/1.1", Headers([], []))
    exchange = Exchange(request, ApiInfo("a", "n", "", {}))
    for value in ("/users/:id", "/:kind"):
        flow = CompiledFlow(Flow(path=PathMatch(value=value)), Selection((), ()), None)
        assert flow.matches(exchange)
    assert request.path_params == {"id": "7", "kind": "users"}


def test_a_condition_reads_the_path_parameters(layered, walk) -> None:
    api = layered(path=PathMatch(value="/a/:id"), condition="{#request.path_params.id == '7'}")
    assert "plan" in walk(api, path="/a/7")
    assert "plan" not in walk(api, path="/a/8")
