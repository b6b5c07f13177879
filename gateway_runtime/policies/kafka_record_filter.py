"""kafkaRecordFilter: lets through the records for which an expression is true."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.error_codes import POLICY_VIOLATION
from gateway_runtime.kafka.record_flows import RecordStep, Refused
from gateway_runtime.kafka.record_message import RecordMessage
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import Condition

_REFUSED = Refused(POLICY_VIOLATION, "A filter of the gateway lets a record not through.")


class KafkaRecordFilter(PolicyConfiguration):
    """Lets through only the records for which an expression is true.

    Of what a client reads the others are left out; their offsets stay, as those of compacted records do.
    What a client sends is refused by batch where one record does not fit (POLICY_VIOLATION), since a
    producer's sequence has no room for gaps. A record for which the expression fails does not fit.
    """

    keep: Annotated[
        Condition, Field(description="True for records that go on, such as {#message.key != none}.")
    ]


class _Filter(RecordStep):
    def __init__(self, configuration: KafkaRecordFilter, environment: Environment) -> None:
        self._fits = environment.condition(configuration.keep)

    def run(self, exchange: Exchange, message: RecordMessage) -> Refused | None:
        return None if self._fits(exchange) else _REFUSED


POLICY = PolicyType("kafkaRecordFilter", KafkaRecordFilter, publish=_Filter, subscribe=_Filter)
