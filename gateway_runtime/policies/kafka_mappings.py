"""What the mappings of topics, groups and transactional ids share."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from gateway_runtime.exchange import Exchange
from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.expressions.scan import START
from gateway_runtime.kafka.access import Resource
from gateway_runtime.kafka.names import Mapping, MappingError, NameMap
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.base import Environment, InteractFunction, PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import StrictModel, Template
from gateway_runtime.policies.kafka_names import NameTemplate


class NameMapping(StrictModel):
    """One name, or all that begin alike: both sides then end in a star."""

    client: Annotated[
        Template,
        Field(
            min_length=1,
            max_length=1024,
            description="The name that clients use, such as `orders` or `orders-*`.",
        ),
    ]
    cluster: Annotated[
        Template,
        Field(
            min_length=1,
            max_length=1024,
            description="The name in the cluster, such as `team1.orders` or `team1.orders-*`.",
        ),
    ]


class NameMappings(PolicyConfiguration):
    """Gives things other names in the cluster than their clients use."""

    of_topics: ClassVar[bool] = False
    """Whether the names are held to Kafka's rules for topics."""

    mappings: Annotated[
        tuple[NameMapping, ...],
        Field(strict=False, max_length=500, description="In order: the first that is for a name counts."),
    ] = ()
    prefix: Annotated[
        Template | None,
        Field(
            max_length=1024,
            description="What is put before all other names, such as `team1.`. What does not begin so is "
            "invisible. Left out: other names stay as they are.",
        ),
    ] = None

    @model_validator(mode="after")
    def _can_be(self) -> NameMappings:
        if not self.mappings and not self.prefix:
            raise ValueError("mappings or prefix is needed")
        if not any(START in text for pair in self.texts() for text in pair):
            name_map(self.texts(), self.of_topics)
        return self

    def texts(self) -> list[tuple[str, str]]:
        """The mappings as pairs of names; a prefix is the one for all names."""
        pairs = [(one.client, one.cluster) for one in self.mappings]
        return pairs if not self.prefix else [*pairs, ("*", f"{self.prefix}*")]


def name_map(texts: list[tuple[str, str]], topics: bool) -> NameMap:
    """The mapping of pairs of names; raises MappingError where they cannot be."""
    return NameMap([Mapping.parse(client, cluster) for client, cluster in texts], topics)


def mapping_policy(name: str, configuration: type[NameMappings], resource: Resource) -> PolicyType:
    """A policy that maps names; only one of a kind applies to a client."""

    def interact(given: NameMappings, environment: Environment) -> InteractFunction:
        pairs = [
            (NameTemplate(client, environment), NameTemplate(cluster, environment))
            for client, cluster in given.texts()
        ]
        kept: list[NameMap] = []

        def mapped(exchange: Exchange) -> NameMap:
            try:
                return name_map(
                    [(_name(client, exchange), _name(cluster, exchange)) for client, cluster in pairs],
                    configuration.of_topics,
                )
            except MappingError as error:
                raise ExpressionError(f"{name}: {error}") from error

        def step(exchange: Exchange, rules: Rules) -> None:
            found = kept[0] if kept else mapped(exchange)
            if not kept and all(one.is_constant for pair in pairs for one in pair):
                kept.append(found)
            if resource in rules.maps:
                raise ExpressionError(f"{name}: another one is in force already")
            rules.maps[resource] = found

        return step

    return PolicyType(name, configuration, interact=interact)


def _name(template: NameTemplate, exchange: Exchange) -> str:
    found = template(exchange)
    if found is None:
        raise MappingError("an expression in a name gives nothing for this client, or `*` or `?`")
    return found
