"""What a policy is: a configuration model and what it compiles to.

A policy is one module of this package with a `POLICY` in it; the registry finds it by name. At load, the
program calls `request` or `response` once for each step and gets a function; per request only that
function runs. It answers None (go on), a `Reply` (stop here), or an awaitable of either, for work that
must wait: the pipeline then suspends this one request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.kafka.record_flows import RecordStep
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.fields import StrictModel

Outcome = Reply | Awaitable[Reply | None] | None
StepFunction = Callable[[Exchange], Outcome]

ConnectFunction = Callable[[Exchange], str | None]
"""Runs once a Kafka client has authenticated: why it may not connect, or None."""

InteractFunction = Callable[[Exchange, Rules], None]
"""Adds to the rules of a Kafka client's session, once, as it begins."""


class Template(Protocol):
    """A compiled string. `constant` is its value where it holds no expression, else None."""

    constant: str | None

    def __call__(self, exchange: Exchange, /) -> str: ...


class Counter(Protocol):
    """A window counter, exact across the workers of one process group."""

    def hit(self, key: bytes, limit: int, period: float) -> tuple[bool, int, float]:
        """Count one use of `key`.

        Answers whether it was within `limit` uses in the window of `period` seconds that the first use
        opened, how many uses are left, and the seconds until the window ends. A refused use is not counted.
        """
        ...


class Environment(Protocol):
    """What a policy may use while it compiles a step."""

    scope: str
    """Names the step within the gateway: `namespace/api plan flow index`; stable over reloads."""

    def template(self, text: str) -> Template:
        """Compile a string that may hold expressions.

        Raises ExpressionError for a broken one.
        """
        ...

    def condition(self, text: str) -> Callable[[Exchange], bool]:
        """Compile one expression, taken as a truth value.

        Raises ExpressionError for a broken one.
        """
        ...

    def counter(self) -> Counter:
        """The counters of this process group."""
        ...


class PolicyConfiguration(StrictModel):
    """Base of the configuration models; their schema goes into the CRDs."""


@dataclass(frozen=True, slots=True)
class PolicyType:
    """A policy: the key that names it in a step, and how each phase compiles.

    `request` and `response` are phases of HTTP APIs; `connect`, `interact`, `publish` and `subscribe` those
    of Kafka APIs. `errors` gives the keys of the replies that it makes, with their statuses, for the
    reference docs and for the check of response templates.
    """

    name: str
    configuration: type[PolicyConfiguration]
    request: Callable[[Any, Environment], StepFunction] | None = None
    response: Callable[[Any, Environment], StepFunction] | None = None
    connect: Callable[[Any, Environment], ConnectFunction] | None = None
    interact: Callable[[Any, Environment], InteractFunction] | None = None
    publish: Callable[[Any, Environment], RecordStep] | None = None
    subscribe: Callable[[Any, Environment], RecordStep] | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
