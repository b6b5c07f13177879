"""What rate limits and quotas share: uses counted in windows, told to the client in header fields."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import Duration
from gateway_runtime.policies.fields import Template as TemplateText
from gateway_runtime.policies.window_step import Window, WindowStep


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


def window_policy(name: str, configuration: type[WindowLimit], error: str, header_prefix: str) -> PolicyType:
    """A policy that counts in windows and refuses with `error`."""

    def request(given: WindowLimit, environment: Environment) -> StepFunction:
        key = None if given.key is None else environment.template(given.key)
        window = Window(given.limit, given.period, header_prefix if given.add_headers else None)
        return WindowStep(window, environment.scope, key, environment.counter(), error)

    return PolicyType(name, configuration, request=request, errors={error: 429})
