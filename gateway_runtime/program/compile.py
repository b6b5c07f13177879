"""A snapshot's sections to API programs: every expression, policy and plan compiled once, at load.

An API that cannot be compiled keeps its routes and answers 503 with what is wrong; the others go on.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from gateway_runtime.exchange import ApiInfo, Exchange
from gateway_runtime.expressions.compile import compile_condition, compile_template
from gateway_runtime.policies.base import Counter, StepFunction, Template
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.steps import compile_step
from gateway_runtime.program.api import ApiProgram
from gateway_runtime.program.endpoints import Addresses, EndpointGroupProgram, EndpointProgram
from gateway_runtime.program.flows import Chain, CompiledFlow, Selection
from gateway_runtime.program.settings import endpoint_url, with_settings
from gateway_runtime.program.templates import TemplateProgram
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.security.authenticator import KeySetSource, compile_admission
from gateway_runtime.snapshot.keys import check_pepper
from gateway_runtime.snapshot.references import binary_uri, secret_uris
from gateway_runtime.snapshot.types import (
    ApiSection,
    EndpointGroup,
    Flow,
    GatewaySection,
    Step,
    SubscriptionsSection,
)
from gateway_runtime.stats import ApiStats


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What compiled APIs share in one worker.

    `secrets` maps a secret's URI to its value, `addresses` the keys of Services to where they are now.
    """

    counter: Counter
    stats: Callable[[str], ApiStats]
    jwks: Callable[[str, float], KeySetSource]
    secrets: Mapping[str, SecretText] = field(default_factory=dict)
    addresses: Addresses = field(default_factory=dict)


_BLANK: Final = SecretText("secret" * 6)
"""Stands for any value where one must not be seen: long enough for a key, and base64 too."""


def told_without_values(
    error: Exception, surroundings: Surroundings, again: Callable[[Surroundings], object]
) -> str:
    """What is wrong with an API that names secrets: told as of a compilation without their values."""
    try:
        again(replace(surroundings, secrets=dict.fromkeys(surroundings.secrets, _BLANK)))
    except Exception as safe:
        return f"{type(safe).__name__}: {safe}"
    return f"{type(error).__name__}: the value of a secret does not fit where it is used"


def flow_place(key: str, scope: str, flows: tuple[Flow, ...], index: int) -> str:
    """Names one of an API's flows.

    Counters go by this place: two flows never share it, and one keeps it where others come and go.
    """
    name = flows[index].name
    return f"{key} {scope} {name} {sum(flow.name == name for flow in flows[:index])}"


class ApiCompiler:
    """Compiles one API's section."""

    def __init__(self, section: ApiSection, gateway: GatewaySection, surroundings: Surroundings) -> None:
        self._section = section
        self._gateway = gateway
        self._surroundings = surroundings
        self.key = f"{section.namespace}/{section.name}"

    def compile(self, subscriptions: SubscriptionsSection | None) -> ApiProgram:
        """The program of the API; its `error` says why where it cannot run."""
        program = ApiProgram(self.key, self.info(), self._surroundings.stats(self.key))
        program.access_log = self._gateway.access_log and self._section.access_log
        try:
            self._fill(program, subscriptions)
        except Exception as error:  # whatever is wrong, it stays this API's own trouble
            program.error = self._told(error, subscriptions)
        return program

    def _told(self, error: Exception, subscriptions: SubscriptionsSection | None) -> str:
        """What is wrong, without values."""

        def again(blanks: Surroundings) -> None:
            compiler = ApiCompiler(self._section, self._gateway, blanks)
            compiler._fill(ApiProgram(self.key, self.info(), ApiStats()), subscriptions)

        if not secret_uris(self._section, self._gateway):
            return f"{type(error).__name__}: {error}"
        return told_without_values(error, self._surroundings, again)

    def info(self) -> ApiInfo:
        """What expressions know of the API."""
        section = self._section
        return ApiInfo(section.name, section.namespace, section.version, section.properties)

    def _fill(self, program: ApiProgram, subscriptions: SubscriptionsSection | None) -> None:
        section = self._section
        for group in section.endpoint_groups:
            program.groups[group.name] = self._group(group)
        program.default_group = next(iter(program.groups.values()), None)
        program.templates = self._templates()
        program.platform = self._chain(self._gateway.flows, "platform")
        plans = tuple(with_settings(plan, self.named_secret) for plan in section.plans)
        program.admission = compile_admission(plans, subscriptions, self)
        own = self._compiled(section.flows, "api")
        for plan in section.plans:
            program.chains[plan.name] = Chain([self._compiled(plan.flows, f"plan {plan.name}"), own])
        program.settle()

    def condition(self, text: str) -> Callable[[Exchange], bool]:
        """Compile a selection rule or a flow's condition."""
        return compile_condition(text, self.named_secret)

    def template(self, text: str) -> Template:
        """Compile a string that may hold expressions."""
        return compile_template(text, self.named_secret)

    def named_secret(self, name: str) -> str:
        """The value of `{#secrets.get(name)}`; raises KeyError where it is not there."""
        return self.secret(self._section.secrets[name].uri)

    def secret(self, uri: str) -> str:
        """The value of a secret by its URI; raises KeyError where it is not there."""
        value = self._surroundings.secrets.get(uri)
        if value is None:
            raise KeyError(f"the secret {uri} is not there")
        return value.reveal()

    def pepper(self) -> bytes:
        """What the digests of API keys are keyed with; raises KeyError where it is named but not there."""
        reference = self._gateway.key_pepper
        if reference is None:
            return b""
        return check_pepper(base64.b64decode(self.secret(binary_uri(reference)), validate=True))

    def jwks(self, url: str, refresh: float) -> KeySetSource:
        """The keys of a JWKS URL."""
        return self._surroundings.jwks(url, refresh)

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    @property
    def counter(self) -> Counter:
        """The counters of this process group."""
        return self._surroundings.counter

    def _chain(self, flows: tuple[Flow, ...], scope: str) -> Chain:
        return Chain([self._compiled(flows, scope)])

    def _compiled(self, flows: tuple[Flow, ...], scope: str) -> list[CompiledFlow]:
        compiled = []
        for index, flow in enumerate(flows):
            if flow.is_of_kafka:
                continue
            place = flow_place(self.key, scope, flows, index)
            selection = Selection(
                self._steps(flow.request, "request", place), self._steps(flow.response, "response", place)
            )
            condition = None if flow.condition is None else self.condition(flow.condition)
            compiled.append(CompiledFlow(flow, selection, condition))
        return compiled

    def _steps(self, steps: tuple[Step, ...], phase: str, place: str) -> tuple[StepFunction, ...]:
        counter = self._surroundings.counter
        return tuple(
            compile_step(step, phase, StepEnvironment(f"{place} {phase} {index}", self.named_secret, counter))
            for index, step in enumerate(steps)
        )

    def _group(self, group: EndpointGroup) -> EndpointGroupProgram:
        endpoints = []
        for endpoint in group.endpoints:
            headers = [(name, self.template(value)) for name, value in endpoint.headers.items()]
            url = endpoint_url(endpoint, self.named_secret)
            service = "" if endpoint.service is None else endpoint.service.key
            endpoints.append(EndpointProgram(endpoint.name, url, headers, service))
        made = EndpointGroupProgram(group.name, endpoints, group.connect_timeout, group.response_timeout)
        made.follow(self._surroundings.addresses)
        return made

    def _templates(self) -> dict[str, dict[str, TemplateProgram]]:
        compiled: dict[str, dict[str, TemplateProgram]] = {}
        for key, by_type in self._section.response_templates.items():
            compiled[key] = {}
            for media_type, template in by_type.items():
                headers = [(name, self.template(value)) for name, value in template.headers.items()]
                body = self.template(template.body)
                compiled[key][media_type] = TemplateProgram(template.status, media_type, headers, body)
        return compiled
