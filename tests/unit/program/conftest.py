"""Programs from sections, with the surroundings of a worker."""

from collections.abc import Callable

import pytest

from gateway_runtime.counters.local import LocalCounter
from gateway_runtime.exchange import Exchange, Headers, Request
from gateway_runtime.program.api import DONE, PLATFORM, ApiProgram
from gateway_runtime.program.compile import Surroundings
from gateway_runtime.security.jwks import KeySets
from gateway_runtime.snapshot.codec import api_entry
from gateway_runtime.snapshot.types import (
    ApiSection,
    Endpoint,
    EndpointGroup,
    Flow,
    GatewaySection,
    HttpRoute,
    KeylessSecurity,
    Plan,
    Snapshot,
    Step,
)
from gateway_runtime.stats import WorkerStats

SectionMaker = Callable[..., ApiSection]


@pytest.fixture
def surroundings() -> Surroundings:
    return Surroundings(LocalCounter(), WorkerStats().api, KeySets().source)


@pytest.fixture
def section() -> SectionMaker:
    def make(name: str, path: str = "", **fields: object) -> ApiSection:
        given = {
            "routes": (HttpRoute(path=path or f"/{name}"),),
            "endpoint_groups": (
                EndpointGroup(name="g", endpoints=(Endpoint(name="e", url="http://b.example"),)),
            ),
            "plans": (Plan(name="open", security=KeylessSecurity()),),
        }
        return ApiSection(name=name, namespace="shop", **(given | fields))  # type: ignore[arg-type]

    return make


@pytest.fixture
def snapshot() -> Callable[..., Snapshot]:
    def make(*sections: ApiSection, flows: tuple[Flow, ...] = ()) -> Snapshot:
        entries = {f"{api.namespace}/{api.name}": api_entry(api) for api in sections}
        return Snapshot(gateway=GatewaySection(flows=flows), apis=entries)

    return make


@pytest.fixture
def mark() -> Callable[[str], Step]:
    """A step that leaves its mark in the attribute `trace`."""

    def make(text: str) -> Step:
        value = "{#context.attributes['trace'] or ''}" + text + " "
        return Step(policy="assignAttributes", configuration={"attributes": {"trace": value}})

    return make


@pytest.fixture
def walk() -> Callable[..., list[str]]:
    """Run both phases of an API for a request, as a transaction does; the marks in their order."""

    def run(api: ApiProgram, method: str = "GET", path: str = "/", **headers: str) -> list[str]:
        fields = Headers([], [])
        for name, value in headers.items():
            fields.add(name, value)
        exchange = Exchange(Request(method, path, "", "HTTP/1.1", fields), api.info)
        response = () if api.static is None else api.static.response
        if api.static is not None:
            for step in api.static.request:
                assert step(exchange) is None
        else:
            for stage in range(PLATFORM, DONE):
                selection = api.stage(stage, exchange)
                response = selection.response + response
                for step in selection.request:
                    assert step(exchange) is None
        exchange.attributes["trace"] = str(exchange.attributes.get("trace", "")) + "| "
        for step in response:
            assert step(exchange) is None
        return str(exchange.attributes["trace"]).split()

    return run
