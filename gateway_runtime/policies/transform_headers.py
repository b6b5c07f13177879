"""transformHeaders: sets, adds and removes header fields of a request or a response."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType, StepFunction
from gateway_runtime.policies.fields import EndToEndHeaderName, HeaderTemplate
from gateway_runtime.policies.header_edits import (
    ComputedField,
    Edit,
    ReadyField,
    Removal,
    RequestEdits,
    ResponseEdits,
)


class TransformHeaders(PolicyConfiguration):
    """Removes, sets and adds header fields, in this order."""

    remove: Annotated[
        tuple[EndToEndHeaderName, ...],
        Field(strict=False, max_length=64, description="Fields that are taken out."),
    ] = ()
    set: Annotated[
        dict[EndToEndHeaderName, HeaderTemplate],
        Field(max_length=64, description="Fields that replace all others of their name."),
    ] = Field(default_factory=dict)
    add: Annotated[
        dict[EndToEndHeaderName, HeaderTemplate],
        Field(max_length=64, description="Fields that come in addition to those of their name."),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _does_something(self) -> TransformHeaders:
        if not self.remove and not self.set and not self.add:
            raise ValueError("remove, set or add is needed")
        return self


def _edits(configuration: TransformHeaders, environment: Environment) -> list[Edit]:
    edits: list[Edit] = [Removal(name) for name in configuration.remove]
    edits += [_edit(True, name, text, environment) for name, text in configuration.set.items()]
    edits += [_edit(False, name, text, environment) for name, text in configuration.add.items()]
    return edits


def _edit(replaces: bool, name: str, text: str, environment: Environment) -> Edit:
    template = environment.template(text)
    if template.constant is None:
        return ComputedField(name, template, replaces)
    return ReadyField(name, template.constant, replaces)


def _request(configuration: TransformHeaders, environment: Environment) -> StepFunction:
    return RequestEdits(_edits(configuration, environment))


def _response(configuration: TransformHeaders, environment: Environment) -> StepFunction:
    return ResponseEdits(_edits(configuration, environment))


POLICY = PolicyType("transformHeaders", TransformHeaders, request=_request, response=_response)
