"""Flows and policy steps: typed unions in the Kubernetes way, built from the policy registry.

A step has exactly one policy's key; each phase lists the policies that make sense in it, so that the API
server itself refuses a wrong policy or option.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, create_model

from gateway_runtime.policies.base import PolicyType
from gateway_runtime.policies.fields import Condition, StrictModel
from gateway_runtime.policies.registry import built_in_policies
from penstock_operator.resources.meta import ExactlyOne

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


class CustomPolicy(StrictModel):
    """A policy from an installed plug-in (entry points of the group `penstock.policies`)."""

    name: Annotated[str, Field(min_length=1, description="The name the plug-in registers.")]
    configuration: Annotated[
        dict[str, Any], Field(description="Checked against the plug-in's own model.")
    ] = Field(default_factory=dict)


class StepBase(ExactlyOne):
    """A step of a flow: exactly one policy, and what is common to all."""

    common: ClassVar = frozenset(("name", "enabled", "condition"))

    name: Annotated[str | None, Field(description="Shown in conditions, metrics and traces.")] = None
    enabled: Annotated[bool, Field(description="Whether the step runs.")] = True
    condition: Annotated[
        Condition | None, Field(description="The step runs only where this expression is true.")
    ] = None
    custom: Annotated[CustomPolicy | None, Field(description="A policy from an installed plug-in.")] = None


HTTP_PHASES = ("request", "response")
KAFKA_PHASES = ("connect", "interact", "publish", "subscribe")
PHASES = (*HTTP_PHASES, *KAFKA_PHASES)


def phases_of(policy: PolicyType) -> tuple[str, ...]:
    """The phases that a policy has."""
    return tuple(phase for phase in PHASES if getattr(policy, phase, None) is not None)


def _step_model(phase: str) -> type[StepBase]:
    policies = sorted(built_in_policies().values(), key=lambda policy: policy.name)
    fields: dict[str, Any] = {
        policy.name: (
            policy.configuration | None,
            Field(default=None, alias=policy.name, description=_summary(policy)),
        )
        for policy in policies
        if phase in phases_of(policy)
    }
    return create_model(f"{phase.title()}Step", __base__=StepBase, __doc__=StepBase.__doc__, **fields)


def _summary(policy: PolicyType) -> str:
    return (policy.configuration.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


RequestStep = _step_model("request")
ResponseStep = _step_model("response")
ConnectStep = _step_model("connect")
InteractStep = _step_model("interact")
PublishStep = _step_model("publish")
SubscribeStep = _step_model("subscribe")

STEPS: Mapping[str, type[StepBase]] = {
    "request": RequestStep,
    "response": ResponseStep,
    "connect": ConnectStep,
    "interact": InteractStep,
    "publish": PublishStep,
    "subscribe": SubscribeStep,
}
"""The steps of each phase."""


class PathMatch(StrictModel):
    """Which paths below the API's own path a flow is for; a segment `:name` matches any one segment."""

    type: Annotated[Literal["Prefix", "Exact"], Field(description="Prefix matches whole segments.")] = (
        "Prefix"
    )
    value: Annotated[str, Field(pattern=r"^/", description="A path such as /items/:id.")] = "/"


Topic = Annotated[str, Field(pattern=r"^([-._a-zA-Z0-9]{1,249}\*?|\*)$", max_length=250)]


class FlowMatch(StrictModel):
    """Selects requests; what is left out selects all.

    HTTP APIs have `path` and `methods`, Kafka APIs `topics`.
    """

    path: PathMatch = Field(default_factory=PathMatch, description="The paths the flow is for.")
    methods: Annotated[tuple[Method, ...], Field(strict=False, description="Methods; empty means all.")] = ()
    topics: Annotated[
        tuple[Topic, ...],
        Field(
            strict=False,
            max_length=256,
            description="Topics whose records are meant, as clients name them, or prefixes such as logs-*.",
        ),
    ] = ()
    condition: Annotated[
        Condition | None, Field(description="An expression that must be true, evaluated on the request.")
    ] = None


class Flow(StrictModel):
    """Policies for the requests that match, and for their responses.

    HTTP APIs run `request` and `response`, Kafka APIs the other phases.
    """

    name: Annotated[str | None, Field(description="Shown in conditions, metrics and traces.")] = None
    enabled: Annotated[bool, Field(description="Whether the flow runs.")] = True
    match: FlowMatch = Field(default_factory=FlowMatch, description="The requests the flow is for.")
    request: Annotated[
        tuple[RequestStep, ...],  # type: ignore[valid-type]
        Field(strict=False, max_length=64, description="Steps before the backend, in order."),
    ] = ()
    response: Annotated[
        tuple[ResponseStep, ...],  # type: ignore[valid-type]
        Field(strict=False, max_length=64, description="Steps behind the backend, in order."),
    ] = ()
    connect: Annotated[
        tuple[ConnectStep, ...],  # type: ignore[valid-type]
        Field(strict=False, max_length=64, description="Steps once a Kafka client has authenticated."),
    ] = ()
    interact: Annotated[
        tuple[InteractStep, ...],  # type: ignore[valid-type]
        Field(strict=False, max_length=64, description="Rules for all requests of a Kafka client."),
    ] = ()
    publish: Annotated[
        tuple[PublishStep, ...],  # type: ignore[valid-type]
        Field(strict=False, max_length=64, description="Steps on records that a Kafka client sends."),
    ] = ()
    subscribe: Annotated[
        tuple[SubscribeStep, ...],  # type: ignore[valid-type]
        Field(strict=False, max_length=64, description="Steps on records that a Kafka client gets."),
    ] = ()


Flows = Annotated[tuple[Flow, ...], Field(strict=False, max_length=256)]
