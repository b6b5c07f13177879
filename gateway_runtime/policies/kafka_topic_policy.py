"""kafkaTopicPolicy: limits on topics that clients make or change."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.regexes import RegexError, compiled
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.kafka.topic_policy import ConfigLimit, Range, TopicPolicy
from gateway_runtime.policies.base import Environment, InteractFunction, PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import StrictModel

_Number = Annotated[int | None, Field(ge=-1, le=2**63 - 1)]


class Limits(StrictModel):
    """Bounds of a number, each included."""

    min: Annotated[_Number, Field(description="The least.")] = None
    max: Annotated[_Number, Field(description="The most.")] = None

    @model_validator(mode="after")
    def _is_range(self) -> Limits:
        if self.min is None and self.max is None:
            raise ValueError("min or max is needed")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is more than max")
        return self


class Setting(StrictModel):
    """What one setting of a topic may be: a number within bounds, or one of some values."""

    min: Annotated[_Number, Field(description="The least number.")] = None
    max: Annotated[_Number, Field(description="The most.")] = None
    values: Annotated[
        tuple[str, ...], Field(strict=False, max_length=100, description="The values that may be set.")
    ] = ()

    @model_validator(mode="after")
    def _is_limit(self) -> Setting:
        is_range = self.min is not None or self.max is not None
        if is_range == bool(self.values):
            raise ValueError("either values, or min or max, is needed")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is more than max")
        return self


class KafkaTopicPolicy(PolicyConfiguration):
    """Refuses topics that are made or changed against it, each with POLICY_VIOLATION and what is wrong.

    What a request leaves to the cluster, such as the number of partitions, is not checked. Names are those of
    clients; a topic whose name does not match is not made by asking for it either.
    """

    name_pattern: Annotated[
        str | None,
        Field(
            max_length=1024,
            description="A regular expression (RE2) that a new topic's whole name must match.",
        ),
    ] = None
    partitions: Annotated[Limits | None, Field(description="How many partitions a topic may have.")] = None
    replication_factor: Annotated[
        Limits | None, Field(description="How many replicas its partitions may have.")
    ] = None
    configs: Annotated[
        dict[str, Setting],
        Field(
            max_length=100,
            description="Settings by their names, such as `retention.ms`, and what they may be.",
        ),
    ] = Field(default_factory=dict)

    @field_validator("name_pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                compiled(value)
            except RegexError as error:
                raise ValueError(f"is no regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _does_something(self) -> KafkaTopicPolicy:
        if not (self.name_pattern or self.partitions or self.replication_factor or self.configs):
            raise ValueError("namePattern, partitions, replicationFactor or configs is needed")
        return self


def _interact(configuration: KafkaTopicPolicy, _environment: Environment) -> InteractFunction:
    policy = _policy(configuration)

    def step(_exchange: Exchange, rules: Rules) -> None:
        rules.topic_policies.append(policy)

    return step


def _policy(given: KafkaTopicPolicy) -> TopicPolicy:
    pattern = None if given.name_pattern is None else compiled(given.name_pattern)
    configs = {
        key: ConfigLimit(Range(one.min, one.max), frozenset(one.values)) for key, one in given.configs.items()
    }
    return TopicPolicy(
        None if pattern is None else lambda name: pattern.fullmatch(name) is not None,
        given.name_pattern or "",
        _range(given.partitions),
        _range(given.replication_factor),
        configs,
    )


def _range(given: Limits | None) -> Range:
    return Range() if given is None else Range(given.min, given.max)


POLICY = PolicyType("kafkaTopicPolicy", KafkaTopicPolicy, interact=_interact)
