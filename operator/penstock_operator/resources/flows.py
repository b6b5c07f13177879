"""Flows and policy steps: typed unions in the Kubernetes way, built from the policy registry.

A step has exactly one policy's key; each phase lists the policies that make sense in it, so that the API
server itself refuses a wrong policy or option.
"""

from __future__ import annotations

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


def _step_model(title: str, policies: list[PolicyType]) -> type[StepBase]:
    fields: dict[str, Any] = {
        policy.name: (
            policy.configuration | None,
            Field(default=None, alias=policy.name, description=_summary(policy)),
        )
        for policy in policies
    }
    return create_model(title, __base__=StepBase, __doc__=StepBase.__doc__, **fields)


def _summary(policy: PolicyType) -> str:
    return (policy.configuration.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


_POLICIES = sorted(built_in_policies().values(), key=lambda policy: policy.name)
RequestStep = _step_model("RequestStep", [policy for policy in _POLICIES if policy.request])
ResponseStep = _step_model("ResponseStep", [policy for policy in _POLICIES if policy.response])


class PathMatch(StrictModel):
    """Which paths below the API's own path a flow is for; a segment `:name` matches any one segment."""

    type: Annotated[Literal["Prefix", "Exact"], Field(description="Prefix matches whole segments.")] = (
        "Prefix"
    )
    value: Annotated[str, Field(pattern=r"^/", description="A path such as /items/:id.")] = "/"


class FlowMatch(StrictModel):
    """Selects requests; what is left out selects all."""

    path: PathMatch = Field(default_factory=PathMatch, description="The paths the flow is for.")
    methods: Annotated[tuple[Method, ...], Field(strict=False, description="Methods; empty means all.")] = ()
    condition: Annotated[
        Condition | None, Field(description="An expression that must be true, evaluated on the request.")
    ] = None


class Flow(StrictModel):
    """Policies for the requests that match, and for their responses."""

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


Flows = Annotated[tuple[Flow, ...], Field(strict=False, max_length=256)]
