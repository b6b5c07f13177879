"""Limits on topics that clients make or change, to what is wrong with a request for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds, each included; None where there is none."""

    least: int | None = None
    most: int | None = None

    def problem(self, what: str, value: int) -> str | None:
        """What is wrong with a value."""
        if self.least is not None and value < self.least:
            return f"{what} must be at least {self.least}, not {value}"
        if self.most is not None and value > self.most:
            return f"{what} must be at most {self.most}, not {value}"
        return None


@dataclass(frozen=True, slots=True)
class ConfigLimit:
    """What a topic's configuration may be set to: a number in a range, or one of some values."""

    range: Range = Range()
    values: frozenset[str] = frozenset()

    def problem(self, key: str, value: str | None) -> str | None:
        """What is wrong with a value; to take one away (None) leaves the cluster's own."""
        if value is None:
            return None
        if self.values:
            told = ", ".join(sorted(self.values))
            return None if value in self.values else f"{key} must be one of {told}, not `{value[:100]}`"
        try:
            number = int(value)
        except ValueError:
            return f"{key} must be a whole number, not `{value[:100]}`"
        return self.range.problem(key, number)


@dataclass(frozen=True, slots=True)
class TopicPolicy:
    """Limits of one policy. Each check answers what is wrong, for the client, or None.

    The number of partitions or replicas that a request leaves to the cluster (-1) is the cluster's affair.
    """

    name_matches: Callable[[str], bool] | None = None
    name_rule: str = ""
    partitions: Range = Range()
    replication: Range = Range()
    configs: Mapping[str, ConfigLimit] = field(default_factory=dict)

    def allows_name(self, name: str) -> bool:
        """Whether a topic may be made by that name."""
        return self.name_matches is None or self.name_matches(name)

    def name_problem(self, name: str) -> str | None:
        """What is wrong with a new topic's name."""
        return None if self.allows_name(name) else f"the name must match {self.name_rule}"

    def partitions_problem(self, count: int) -> str | None:
        """What is wrong with a number of partitions."""
        return None if count < 0 else self.partitions.problem("the number of partitions", count)

    def replication_problem(self, factor: int) -> str | None:
        """What is wrong with a replication factor."""
        return None if factor < 0 else self.replication.problem("the replication factor", factor)

    def config_problem(self, key: str, value: str | None) -> str | None:
        """What is wrong with a setting."""
        limit = self.configs.get(key)
        return None if limit is None else limit.problem(key, value)
