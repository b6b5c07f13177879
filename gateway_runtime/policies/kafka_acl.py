"""kafkaAcl: what a Kafka client may do, and to what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.access import AccessRule, Authorizer, Operation, PatternType, Resource
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.base import Environment, InteractFunction, PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import StrictModel, Template
from gateway_runtime.policies.kafka_names import NameTemplate

_RESOURCES = {
    "topic": Resource.TOPIC,
    "group": Resource.GROUP,
    "cluster": Resource.CLUSTER,
    "transactionalId": Resource.TRANSACTIONAL_ID,
}
_PATTERNS = {"Literal": PatternType.LITERAL, "Prefix": PatternType.PREFIX, "Match": PatternType.MATCH}
_OPERATIONS = {"".join(part.title() for part in one.name.split("_")): one for one in Operation}

OperationName = Literal[
    "All",
    "Read",
    "Write",
    "Create",
    "Delete",
    "Alter",
    "Describe",
    "ClusterAction",
    "DescribeConfigs",
    "AlterConfigs",
    "IdempotentWrite",
    "TwoPhaseCommit",
]


class NamePattern(StrictModel):
    """Names that a rule is for, as the client knows them."""

    type: Annotated[
        Literal["Literal", "Prefix", "Match"],
        Field(
            description="`Literal`: that name alone, or all names where it is `*`. `Prefix`: names that "
            "begin so. `Match`: `*` stands for any text, `?` for one character."
        ),
    ] = "Literal"
    name: Annotated[
        Template, Field(min_length=1, max_length=1024, description="The name, its beginning, or the pattern.")
    ]


class AclRule(StrictModel):
    """Allows or denies operations on some resources."""

    resource: Annotated[
        Literal["topic", "group", "cluster", "transactionalId"],
        Field(description="What is protected. The cluster has no name."),
    ]
    pattern: Annotated[NamePattern | None, Field(description="Which of them. Left out: all.")] = None
    operations: Annotated[
        tuple[OperationName, ...],
        Field(
            strict=False,
            min_length=1,
            max_length=12,
            description="What may be done. As in Kafka, Describe is allowed by Read, Write, Delete and "
            "Alter, and DescribeConfigs by AlterConfigs.",
        ),
    ]
    permission: Annotated[
        Literal["Allow", "Deny"], Field(description="Whether it is allowed or denied; Deny wins.")
    ] = "Allow"


class KafkaAcl(PolicyConfiguration):
    """Lets clients do what a rule allows and none denies, and nothing else.

    Checked as Kafka's brokers check their own rules, and answered with their error codes, before any request
    is forwarded. Topics that a client may not describe are not listed. With several of these policies all
    must allow. Where an expression in a name gives nothing, or `*` or `?`, its rule allows nothing, or
    denies all.
    """

    rules: Annotated[
        tuple[AclRule, ...],
        Field(strict=False, max_length=500, description="The rules; their order is of no matter."),
    ]


def _interact(configuration: KafkaAcl, environment: Environment) -> InteractFunction:
    named = [(rule, NameTemplate(_text(rule), environment)) for rule in configuration.rules]
    kept: list[Authorizer] = []

    def step(exchange: Exchange, rules: Rules) -> None:
        if kept:
            rules.authorizers.append(kept[0])
            return
        compiled = (_rule(rule, name(exchange)) for rule, name in named)
        found = Authorizer([rule for rule in compiled if rule is not None])
        rules.authorizers.append(found)
        if all(name.is_constant for _, name in named):
            kept.append(found)

    return step


def _text(rule: AclRule) -> str:
    return "*" if rule.pattern is None else rule.pattern.name


def _rule(rule: AclRule, name: str | None) -> AccessRule | None:
    """The rule by a client's name; without one it allows nothing, or denies all."""
    allow = rule.permission == "Allow"
    if name is None and allow:
        return None
    pattern = PatternType.LITERAL if rule.pattern is None else _PATTERNS[rule.pattern.type]
    operations = frozenset(_OPERATIONS[operation] for operation in rule.operations)
    resource = _RESOURCES[rule.resource]
    if name is None:
        return AccessRule(resource, PatternType.LITERAL, "*", operations, allow)
    return AccessRule(resource, pattern, name, operations, allow)


POLICY = PolicyType("kafkaAcl", KafkaAcl, interact=_interact)
