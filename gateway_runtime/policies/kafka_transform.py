"""kafkaTransform: changes headers, key and value of records."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.record_flows import RecordStep, Refused
from gateway_runtime.kafka.record_message import RecordMessage
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import Template

HeaderName = Annotated[str, Field(min_length=1, max_length=256)]


class KafkaTransform(PolicyConfiguration):
    """Removes and sets headers of records, then sets their value and their key.

    Templates see the record as it is when the step begins. A tombstone (a record without a value) keeps
    being one. Another key does not move a record to another partition. A record for which an expression
    fails is refused with its batch where it is sent, and left out where it is read.
    """

    remove_headers: Annotated[
        tuple[HeaderName, ...],
        Field(strict=False, max_length=64, description="Headers that are taken out."),
    ] = ()
    set_headers: Annotated[
        dict[HeaderName, Template],
        Field(max_length=64, description="Headers that replace all others of their name."),
    ] = Field(default_factory=dict)
    key: Annotated[Template | None, Field(description="The new key, as text.")] = None
    value: Annotated[Template | None, Field(description="The new value, as text.")] = None

    @model_validator(mode="after")
    def _does_something(self) -> KafkaTransform:
        if not self.remove_headers and not self.set_headers and self.key is None and self.value is None:
            raise ValueError("removeHeaders, setHeaders, key or value is needed")
        return self


class _Transform(RecordStep):
    def __init__(self, configuration: KafkaTransform, environment: Environment) -> None:
        self._headers = [
            (name, environment.template(text)) for name, text in configuration.set_headers.items()
        ]
        self._gone = frozenset((*configuration.remove_headers, *configuration.set_headers))
        self._key = None if configuration.key is None else environment.template(configuration.key)
        self._value = None if configuration.value is None else environment.template(configuration.value)

    def run(self, exchange: Exchange, message: RecordMessage) -> Refused | None:
        headers = [(name, template(exchange)) for name, template in self._headers]
        key = None if self._key is None else self._key(exchange)
        has_value = self._value is not None and message.raw_value is not None
        value = self._value(exchange) if self._value is not None and has_value else None
        message.remove_headers(self._gone)
        for name, text in headers:
            message.add_header(name, text)
        if key is not None:
            message.set_key(key)
        if value is not None:
            message.set_value(value)
        return None


POLICY = PolicyType("kafkaTransform", KafkaTransform, publish=_Transform, subscribe=_Transform)
