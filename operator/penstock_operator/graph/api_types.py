"""Finds what does not go with the type of an API, in its flows and in its plans."""

from __future__ import annotations

from collections.abc import Iterator

from penstock_operator.graph.types import Finding
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.flows import HTTP_PHASES, KAFKA_PHASES, Flow, PathMatch
from penstock_operator.resources.meta import listing
from penstock_operator.resources.plan import Plan

_NO_PATH = PathMatch()


def wrong_flows(flows: tuple[Flow, ...], api: ApiDefinition) -> Iterator[Finding]:
    """Phases and selectors that APIs of the other type have."""
    is_kafka = api.spec.is_kafka
    wrong, right = (HTTP_PHASES, KAFKA_PHASES) if is_kafka else (KAFKA_PHASES, HTTP_PHASES)
    for index, flow in enumerate(flows):
        place: FieldPath = ("spec", "flows", index)
        for phase in wrong:
            if getattr(flow, phase):
                message = f"an API of type {api.spec.type} has no phase `{phase}`: it has {listing(right)}"
                yield Finding("WrongPhase", message, (*place, phase))
        for name in _wrong_selectors(flow, is_kafka):
            message = f"flows of an API of type {api.spec.type} are not selected by `{name}`"
            yield Finding("WrongSelector", message, (*place, "match", name))


def wrong_plan(plan: Plan, api: ApiDefinition) -> Iterator[Finding]:
    """What a plan has that its API cannot have."""
    yield from wrong_flows(plan.spec.flows, api)
    security = plan.spec.security.given()[0]
    if not api.spec.is_kafka and security in ("oauth2", "mtls"):
        message = f"`{security}` is for plans of APIs of type Kafka; of this type are keyless, apiKey and jwt"
        yield Finding("UnsupportedSecurity", message, ("spec", "security", security))


def _wrong_selectors(flow: Flow, is_kafka: bool) -> Iterator[str]:
    if is_kafka and flow.match.path != _NO_PATH:
        yield "path"
    if is_kafka and flow.match.methods:
        yield "methods"
    if not is_kafka and flow.match.topics:
        yield "topics"
