"""Checks the steps of plug-in policies, whose configuration the CRDs leave open."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from gateway_runtime.policies.base import PolicyType
from gateway_runtime.policies.registry import built_in_policies, plug_in_policies
from penstock_operator.graph.texts import Text, texts
from penstock_operator.graph.types import Finding
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.explain import explain, nearest
from penstock_operator.resources.flows import PHASES, CustomPolicy, Flow, phases_of


def check_plug_ins(flows: tuple[Flow, ...], path: FieldPath) -> Iterator[Finding | Text]:
    """What is wrong with the `custom` steps of flows, and the strings of those that are right."""
    for index, flow in enumerate(flows):
        for phase in PHASES:
            for number, step in enumerate(getattr(flow, phase)):
                if step.custom is not None:
                    place = (*path, index, phase, number, "custom")
                    yield from _check(step.custom, phase, place)


def _check(custom: CustomPolicy, phase: str, path: FieldPath) -> Iterator[Finding | Text]:
    policy = plug_in_policies().get(custom.name)
    if policy is None:
        yield Finding("UnknownPolicy", _unknown(custom.name), (*path, "name"))
    elif phase not in phases_of(policy):
        message = f"the policy `{custom.name}` has no {phase} phase"
        yield Finding("UnknownPolicy", message, (*path, "name"))
    else:
        yield from _check_configuration(policy, custom, (*path, "configuration"))


def _check_configuration(
    policy: PolicyType, custom: CustomPolicy, path: FieldPath
) -> Iterator[Finding | Text]:
    try:
        model = policy.configuration.model_validate(custom.configuration)
    except ValidationError as error:
        for found in explain(error, policy.configuration, path):
            yield Finding("InvalidConfiguration", found.message, found.path)
    else:
        yield from texts(model, path)


def _unknown(name: str) -> str:
    if name in built_in_policies():
        return f"`{name}` is built in: write it as a step of its own, `{name}: ...`"
    installed = plug_in_policies()
    return f"no installed plug-in has the policy `{name}`{nearest(name, installed)}"
