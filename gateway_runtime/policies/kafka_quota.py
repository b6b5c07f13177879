"""kafkaQuota: bounds how much a Kafka client may send and receive."""

from __future__ import annotations

from typing import Annotated
from weakref import WeakValueDictionary

from pydantic import Field, model_validator

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.quota import Quota, Rate
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.base import Environment, InteractFunction, PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import Size

_SHARED: WeakValueDictionary[tuple[object, ...], Quota] = WeakValueDictionary()
"""As long as a client is connected its use is known, over reloads too."""


class KafkaQuota(PolicyConfiguration):
    """Slows clients down that use more than they may, as Kafka's brokers do.

    Rates are means over 11 seconds, of all connections of a subscription to one worker of the gateway (of a
    client address where there is no subscription). Beyond them a response tells the client how long to wait,
    and nothing is read of its connection for that time.
    """

    ingress: Annotated[Size | None, Field(gt=0, description="Bytes per second that a client may send.")] = (
        None
    )
    egress: Annotated[Size | None, Field(gt=0, description="Bytes per second that a client may receive.")] = (
        None
    )
    requests: Annotated[
        int | None, Field(ge=1, le=10**9, description="Requests per second that a client may send.")
    ] = None

    @model_validator(mode="after")
    def _does_something(self) -> KafkaQuota:
        if self.ingress is None and self.egress is None and self.requests is None:
            raise ValueError("ingress, egress or requests is needed")
        return self


def _interact(configuration: KafkaQuota, environment: Environment) -> InteractFunction:
    limits = configuration.ingress, configuration.egress, configuration.requests

    def step(exchange: Exchange, rules: Rules) -> None:
        key = (environment.scope, *_client(exchange), *limits)
        quota = _SHARED.get(key)
        if quota is None:
            quota = _SHARED[key] = Quota(*(None if limit is None else Rate(limit) for limit in limits))
        rules.quotas.append(quota)

    return step


def _client(exchange: Exchange) -> tuple[str, str]:
    subscription = exchange.subscription
    if subscription is not None:
        return "subscription", subscription.name
    return "address", exchange.request.remote_address


POLICY = PolicyType("kafkaQuota", KafkaQuota, interact=_interact)
