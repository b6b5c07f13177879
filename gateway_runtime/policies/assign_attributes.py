"""assignAttributes: leaves values for later policies and expressions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway_runtime.exchange import Exchange
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import Template as TemplateText

AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=128)]


class AssignAttributes(PolicyConfiguration):
    """Sets attributes of the request's context, read as {#context.attributes['NAME']}.

    The attribute endpointGroup names the endpoint group that the request goes to.
    """

    attributes: Annotated[
        dict[AttributeName, TemplateText],
        Field(min_length=1, max_length=64, description="Names and values."),
    ]


def _compile(configuration: AssignAttributes, environment: Environment) -> StepFunction:
    values = [(name, environment.template(text)) for name, text in configuration.attributes.items()]

    def step(exchange: Exchange) -> None:
        for name, value in values:
            exchange.attributes[name] = value(exchange)

    return step


POLICY = PolicyType("assignAttributes", AssignAttributes, request=_compile, response=_compile)
