"""What rate limits and quotas share: uses counted in windows, told to the client in header fields."""

from __future__ import annotations

from math import ceil
from typing import Annotated

from pydantic import Field

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Environment, Outcome, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import Duration
from gateway_runtime.policies.fields import Template as TemplateText


class WindowLimit(PolicyConfiguration):
    """At most so many requests in each window; the window opens with a client's first request."""

    limit: Annotated[int, Field(ge=1, le=2**53, description="How many requests a window holds.")]
    period: Annotated[Duration, Field(gt=0, description="How long a window is.")]
    key: Annotated[
        TemplateText | None,
        Field(
            max_length=1024,
            description="Whose requests are counted together. Left out: those of a subscription, or those "
            "of a client address where there is no subscription.",
        ),
    ] = None
    add_headers: Annotated[
        bool, Field(description="Whether responses tell the limit, what is left and when the window ends.")
    ] = True


class WindowStep:
    """Counts each request; refuses those beyond the limit."""

    __slots__ = (
        "_add_headers",
        "_error",
        "_hit",
        "_key",
        "_left_name",
        "_left_start",
        "_limit",
        "_limit_field",
        "_period",
        "_reset_name",
        "_reset_start",
        "_scope",
        "_sentence",
    )

    def __init__(
        self, configuration: WindowLimit, environment: Environment, error: str, header_prefix: str
    ) -> None:
        self._limit = configuration.limit
        self._period = configuration.period
        self._scope = environment.scope.encode() + b"\0"
        self._key = None if configuration.key is None else environment.template(configuration.key)
        self._hit = environment.counter().hit
        self._error = error
        self._add_headers = configuration.add_headers
        prefix = header_prefix.encode("ascii") + b"-"
        self._limit_field = ((prefix + b"Limit").lower(), prefix + b"Limit: %d" % configuration.limit)
        self._left_name, self._left_start = (prefix + b"Remaining").lower(), prefix + b"Remaining: "
        self._reset_name, self._reset_start = (prefix + b"Reset").lower(), prefix + b"Reset: "
        self._sentence = f"At most {configuration.limit} requests in {configuration.period:g} s are allowed."

    def __call__(self, exchange: Exchange) -> Outcome:
        key = _default_key(exchange) if self._key is None else self._key(exchange)
        allowed, left, reset = self._hit(self._scope + key.encode(), self._limit, self._period)
        if allowed and not self._add_headers:
            return None
        seconds = b"%d" % ceil(reset)
        if self._add_headers:
            exchange.add_response_headers(
                [
                    self._limit_field,
                    (self._left_name, self._left_start + b"%d" % left),
                    (self._reset_name, self._reset_start + seconds),
                ]
            )
        if allowed:
            return None
        return Reply(429, self._error, self._sentence, [("Retry-After", seconds.decode())])


def window_policy(name: str, configuration: type[WindowLimit], error: str, header_prefix: str) -> PolicyType:
    """A policy that counts in windows and refuses with `error`."""

    def request(given: WindowLimit, environment: Environment) -> StepFunction:
        return WindowStep(given, environment, error, header_prefix)

    return PolicyType(name, configuration, request=request, errors={error: 429})


def _default_key(exchange: Exchange) -> str:
    subscription = exchange.subscription
    return exchange.request.remote_address if subscription is None else subscription.name
