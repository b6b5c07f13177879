"""mock: answers in place of the backend."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import EndToEndHeaderName, HeaderTemplate, StatusCode
from gateway_runtime.policies.fields import Template as TemplateText


class Mock(PolicyConfiguration):
    """Answers the request in place of the backend; steps of the response phase still run."""

    status: Annotated[StatusCode, Field(description="The status of the response.")] = 200
    headers: Annotated[
        dict[EndToEndHeaderName, HeaderTemplate], Field(max_length=64, description="Its header fields.")
    ] = Field(default_factory=dict)
    body: Annotated[TemplateText, Field(max_length=262144, description="Its body.")] = ""


def _request(configuration: Mock, environment: Environment) -> StepFunction:
    headers = [(name, environment.template(text)) for name, text in configuration.headers.items()]
    body = environment.template(configuration.body)
    status = configuration.status

    def step(exchange: Exchange) -> Reply:
        fields = [(name, value(exchange)) for name, value in headers]
        return Reply(status, headers=fields, body=body(exchange).encode())

    return step


POLICY = PolicyType("mock", Mock, request=_request)
