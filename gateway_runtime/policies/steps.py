"""A step of the snapshot to the function that runs for each request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import ValidationError

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.record_flows import RecordStep, Refused
from gateway_runtime.kafka.record_message import RecordMessage
from gateway_runtime.policies.base import (
    ConnectFunction,
    Environment,
    InteractFunction,
    Outcome,
    PolicyConfiguration,
    PolicyType,
    StepFunction,
)
from gateway_runtime.policies.registry import find_policy
from gateway_runtime.snapshot.types import Step


class PolicyError(ValueError):
    """A step that cannot run; `field` names what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


def compile_step(step: Step, phase: str, environment: Environment) -> StepFunction:
    """The function of a step; `phase` is `request` or `response`.

    Raises PolicyError for an unknown policy, one that has no such phase, or an invalid configuration, and
    ExpressionError for a broken expression.
    """
    policy = _policy(step, phase)
    make = policy.request if phase == "request" else policy.response
    assert make is not None
    run = make(configure(policy, step.configuration), environment)
    return run if step.condition is None else _conditional(run, step.condition, environment)


def compile_connect(step: Step, environment: Environment) -> ConnectFunction:
    """The function of a step of the phase `connect`; raises as `compile_step` does."""
    policy = _policy(step, "connect")
    assert policy.connect is not None
    run = policy.connect(configure(policy, step.configuration), environment)
    if step.condition is None:
        return run
    holds = environment.condition(step.condition)
    return lambda exchange: run(exchange) if holds(exchange) else None


def compile_interact(step: Step, environment: Environment) -> InteractFunction:
    """The function of a step of the phase `interact`; raises as `compile_step` does."""
    policy = _policy(step, "interact")
    assert policy.interact is not None
    run = policy.interact(configure(policy, step.configuration), environment)
    if step.condition is None:
        return run
    holds = environment.condition(step.condition)
    return lambda exchange, rules: run(exchange, rules) if holds(exchange) else None


def compile_records(step: Step, phase: str, environment: Environment) -> RecordStep:
    """A step of the phase `publish` or `subscribe`; raises as `compile_step` does."""
    policy = _policy(step, phase)
    make = policy.publish if phase == "publish" else policy.subscribe
    assert make is not None
    run = make(configure(policy, step.configuration), environment)
    return run if step.condition is None else _RecordsIf(run, environment.condition(step.condition))


class _RecordsIf(RecordStep):
    """A step that runs only for records for which its condition holds."""

    def __init__(self, step: RecordStep, holds: Callable[[Exchange], bool]) -> None:
        self._step = step
        self._holds = holds
        self.waits = step.waits

    def prepare(self, exchange: Exchange, message: RecordMessage) -> Awaitable[None] | None:
        """What the step has to wait for."""
        return self._step.prepare(exchange, message)

    def run(self, exchange: Exchange, message: RecordMessage) -> Refused | None:
        """Run the step where it is for the record."""
        return self._step.run(exchange, message) if self._holds(exchange) else None


def _policy(step: Step, phase: str) -> PolicyType:
    """The policy of a step, which has such a phase."""
    policy = find_policy(step.policy)
    if policy is None:
        raise PolicyError(step.policy, "there is no such policy")
    if getattr(policy, phase) is None:
        raise PolicyError(step.policy, f"the policy has no {phase} phase")
    return policy


def configure(policy: PolicyType, configuration: dict[str, object]) -> PolicyConfiguration:
    """The checked configuration of a policy; raises PolicyError naming the first wrong field."""
    try:
        return policy.configuration.model_validate(configuration)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join([policy.name, *map(str, first["loc"])])
        raise PolicyError(field, first["msg"]) from error


def _conditional(run: StepFunction, condition: str, environment: Environment) -> StepFunction:
    holds = environment.condition(condition)

    def step(exchange: Exchange) -> Outcome:
        return run(exchange) if holds(exchange) else None

    return step
