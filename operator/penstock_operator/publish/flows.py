"""Turns flows of resources into flows of the wire; a step's configuration stays as the user wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway_runtime.snapshot.types import Flow, PathMatch, Step
from penstock_operator.resources.flows import Flow as FlowResource
from penstock_operator.resources.flows import StepBase


def wire_flows(flows: tuple[FlowResource, ...], manifest: dict[str, Any]) -> tuple[Flow, ...]:
    """The enabled flows; `manifest` is the data of the resource that they are from."""
    written = (manifest.get("spec") or {}).get("flows") or []
    return tuple(_flow(flow, raw) for flow, raw in zip(flows, written, strict=True) if flow.enabled)


def _flow(flow: FlowResource, raw: dict[str, Any]) -> Flow:
    return Flow(
        name=flow.name or "",
        path=PathMatch(type=flow.match.path.type, value=flow.match.path.value),
        methods=flow.match.methods,
        topics=flow.match.topics,
        condition=flow.match.condition,
        request=tuple(_steps(flow.request, raw.get("request"))),
        response=tuple(_steps(flow.response, raw.get("response"))),
        connect=tuple(_steps(flow.connect, raw.get("connect"))),
        interact=tuple(_steps(flow.interact, raw.get("interact"))),
        publish=tuple(_steps(flow.publish, raw.get("publish"))),
        subscribe=tuple(_steps(flow.subscribe, raw.get("subscribe"))),
    )


def _steps(steps: tuple[StepBase, ...], written: list[dict[str, Any]] | None) -> Iterator[Step]:
    for step, raw in zip(steps, written or [], strict=True):
        if step.enabled:
            yield _step(step, raw)


def _step(step: StepBase, raw: dict[str, Any]) -> Step:
    policy = step.given()[0]
    configuration = raw[policy]
    if step.custom is not None:
        policy, configuration = step.custom.name, step.custom.configuration
    return Step(
        policy=policy,
        configuration=configuration,
        name=step.name or "",
        condition=step.condition,
    )
