"""Access rules to decisions, by Kafka's own notions: default deny, deny before allow, implied operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_REMEMBERED: Final = 20_000


class Resource(IntEnum):
    """What access is to; the numbers are those of Kafka's protocol."""

    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5


class Operation(IntEnum):
    """What is done; the numbers are those of Kafka's protocol."""

    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12
    TWO_PHASE_COMMIT = 15


_IMPLY: Final = {
    Operation.DESCRIBE: (Operation.READ, Operation.WRITE, Operation.DELETE, Operation.ALTER),
    Operation.DESCRIBE_CONFIGS: (Operation.ALTER_CONFIGS,),
}
"""What else allows an operation; a denial implies nothing."""

_OF_RESOURCE: Final = {
    Resource.TOPIC: (
        Operation.READ,
        Operation.WRITE,
        Operation.CREATE,
        Operation.DELETE,
        Operation.ALTER,
        Operation.DESCRIBE,
        Operation.DESCRIBE_CONFIGS,
        Operation.ALTER_CONFIGS,
    ),
    Resource.GROUP: (
        Operation.READ,
        Operation.DELETE,
        Operation.DESCRIBE,
        Operation.DESCRIBE_CONFIGS,
        Operation.ALTER_CONFIGS,
    ),
    Resource.CLUSTER: (
        Operation.CREATE,
        Operation.ALTER,
        Operation.DESCRIBE,
        Operation.CLUSTER_ACTION,
        Operation.DESCRIBE_CONFIGS,
        Operation.ALTER_CONFIGS,
        Operation.IDEMPOTENT_WRITE,
    ),
    Resource.TRANSACTIONAL_ID: (Operation.WRITE, Operation.DESCRIBE, Operation.TWO_PHASE_COMMIT),
}
"""What can be done to a resource at all."""


class PatternType(IntEnum):
    """How a pattern's name is meant."""

    LITERAL = 0
    PREFIX = 1
    MATCH = 2


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Allows or denies operations on the resources whose names match; `*` as a literal means all."""

    resource: Resource
    pattern: PatternType
    name: str
    operations: frozenset[Operation]
    allow: bool = True

    def is_for(self, operation: Operation) -> bool:
        """Whether the rule names the operation, or one that implies it."""
        named = self.operations
        if operation in named or Operation.ALL in named:
            return True
        return self.allow and any(other in named for other in _IMPLY.get(operation, ()))

    @property
    def is_for_all_names(self) -> bool:
        """Whether every name matches."""
        return self.resource is Resource.CLUSTER or (
            not self.name if self.pattern is PatternType.PREFIX else self.name == "*"
        )


class Authorizer:
    """Decides by rules; nothing is allowed but what a rule allows and none denies."""

    __slots__ = ("_decided", "_rules")

    def __init__(self, rules: Sequence[AccessRule]) -> None:
        self._rules = [(rule, _matcher(rule)) for rule in rules]
        self._decided: dict[tuple[int, str, int], bool] = {}

    def allows(self, resource: Resource, name: str, operation: Operation) -> bool:
        """Whether an operation is allowed; the name of the cluster does not matter."""
        key = (resource, name, operation)
        known = self._decided.get(key)
        if known is None:
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            known = self._decided[key] = self._decide(resource, name, operation)
        return known

    def allows_any(self, resource: Resource, operation: Operation) -> bool:
        """Whether a rule allows an operation on some name, and none denies all names of that rule."""
        rules = [rule for rule, _ in self._rules if rule.resource is resource and rule.is_for(operation)]
        denials = [rule for rule in rules if not rule.allow]
        return any(rule.allow and not any(_dominates(denial, rule) for denial in denials) for rule in rules)

    def operations(self, resource: Resource, name: str) -> int:
        """The allowed operations as the bit field that Kafka's responses have."""
        return sum(
            1 << operation for operation in _OF_RESOURCE[resource] if self.allows(resource, name, operation)
        )

    def _decide(self, resource: Resource, name: str, operation: Operation) -> bool:
        allowed = False
        for rule, matches in self._rules:
            if rule.resource is resource and rule.is_for(operation) and matches(name):
                if not rule.allow:
                    return False
                allowed = True
        return allowed


def _matcher(rule: AccessRule) -> Callable[[str], bool]:
    if rule.is_for_all_names:
        return lambda _name: True
    if rule.pattern is PatternType.LITERAL:
        return rule.name.__eq__
    if rule.pattern is PatternType.PREFIX:
        return lambda name: name.startswith(rule.name)
    return _glob(rule.name)


def _glob(pattern: str) -> Callable[[str], bool]:
    """`*` is any text, `?` one character."""
    # Only a configuration with such a pattern pays for the library; it takes linear time whatever the name.
    import re2  # type: ignore[import-untyped] # noqa: PLC0415

    parts = [{"*": "(?s:.*)", "?": "(?s:.)"}.get(character) or re2.escape(character) for character in pattern]
    compiled = re2.compile("".join(parts))
    return lambda name: compiled.fullmatch(name) is not None


def _dominates(denial: AccessRule, rule: AccessRule) -> bool:
    """Whether a denial is for all names that a rule is for, as far as literals and prefixes tell."""
    if denial.is_for_all_names:
        return True
    if rule.pattern is PatternType.MATCH:
        return denial == AccessRule(rule.resource, rule.pattern, rule.name, denial.operations, allow=False)
    if rule.is_for_all_names:
        return False
    if denial.pattern is PatternType.PREFIX:
        return rule.name.startswith(denial.name)
    return rule.pattern is PatternType.LITERAL and _matcher(denial)(rule.name)
