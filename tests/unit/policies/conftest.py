"""Steps as a worker compiles and runs them, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway_runtime.counters.local import LocalCounter
from gateway_runtime.exchange import (
    ApiInfo,
    ApplicationInfo,
    Exchange,
    Headers,
    Request,
    Response,
    SubscriptionInfo,
)
from gateway_runtime.policies.base import StepFunction
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.steps import compile_step
from gateway_runtime.snapshot.types import Step
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.parse import Parsed, parse

Fields = tuple[tuple[str, str], ...]


@dataclass
class Clock:
    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class HeldBodies:
    """The bodies of an exchange, there from the start."""

    request: bytes = b""
    response: bytes = b""

    async def read_request_body(self) -> bytes:
        return self.request

    async def read_response_body(self) -> bytes:
        return self.response


@dataclass
class Steps:
    """Compiles steps with the surroundings of one worker."""

    counter: LocalCounter
    secrets: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        policy: str,
        configuration: dict[str, Any],
        phase: str = "request",
        condition: str | None = None,
        scope: str = "shop/orders api 0 request 0",
    ) -> StepFunction:
        step = Step(policy=policy, configuration=configuration, condition=condition)
        surroundings = StepEnvironment(scope, self.secrets.__getitem__, self.counter)
        return compile_step(step, phase, surroundings)


def headers_of(fields: Fields) -> Headers:
    headers = Headers([], [])
    for name, value in fields:
        headers.add(name, value)
    return headers


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def steps(clock: Clock) -> Steps:
    return Steps(LocalCounter(clock=clock))


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    """Makes an exchange; with a `status` it has a response."""

    def make(
        path: str = "/items/7",
        query: str = "",
        fields: Fields = (),
        address: str = "192.0.2.7",
        subscription: str | None = None,
        method: str = "GET",
        status: int | None = None,
        body: bytes = b"",
    ) -> Exchange:
        request = Request(method, path, query, "HTTP/1.1", headers_of(fields if status is None else ()))
        request.remote_address = address
        found = Exchange(request, ApiInfo("orders", "shop", "1.2", {"region": "eu-west"}))
        if subscription is not None:
            found.subscription = SubscriptionInfo(subscription, "gold", ApplicationInfo("app", "app-id"))
        if status is not None:
            found.response = Response(status, b"As Sent", headers_of(fields))
        found.bodies = HeldBodies(body, body)
        return found

    return make


@pytest.fixture
def problems() -> Callable[..., list[tuple[str, str]]]:
    """What a user is told of a step in a manifest: fields below the step, and messages."""

    def make(step: dict[str, Any], phase: str = "request") -> list[tuple[str, str]]:
        spec = {
            "listeners": [{"http": {"path": "/a"}}],
            "endpointGroups": [{"name": "g", "endpoints": [{"name": "e", "url": "http://a.example"}]}],
            "flows": [{phase: [step]}],
        }
        kind = {"apiVersion": "penstock.dev/v1alpha1", "kind": "ApiDefinition", "metadata": {"name": "a"}}
        parsed = parse(Manifest("a.yaml", 0, 1, {**kind, "spec": spec}))
        if isinstance(parsed, Parsed):
            return []
        assert isinstance(parsed, tuple)
        start = f"spec.flows[0].{phase}[0]"
        return [(problem.field.removeprefix(start).removeprefix("."), problem.message) for problem in parsed]

    return make
