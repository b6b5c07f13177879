"""A client's regular expression over topics (KIP-848) to one over the cluster's names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

_MEMBERS: Final = 1000
_REMEMBERED: Final = 64
_LONGEST: Final = 4096
_MEMORY: Final = 1 << 20
"""Bytes of one compiled pattern: clients choose them."""
_NOTHING: Final = "!"
"""Matches no topic: none has such a character in its name."""


class RegexError(ValueError):
    """No regular expression in RE2's syntax, which Kafka's brokers take."""


@lru_cache(_REMEMBERED)
def compiled(pattern: str) -> Any:
    """The compiled pattern; raises RegexError where it is none, or takes too much memory."""
    if len(pattern) > _LONGEST:
        raise RegexError(f"longer than {_LONGEST} characters")
    # Only clients that send one pay for the library; it takes linear time whatever the pattern.
    import re2  # type: ignore[import-untyped] # noqa: PLC0415

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise RegexError(str(error)) from error


def prefixed(prefix: str, pattern: str) -> str:
    """The pattern for names with a prefix before them; raises RegexError where it is none."""
    compiled(pattern)
    whole = f"{_quoted(prefix)}(?:{pattern})"
    # An open \\Q would swallow the bracket: alone it is valid, so that the whole must be looked at too.
    compiled(whole)
    return whole


def unprefixed(prefix: str, pattern: str) -> str | None:
    """What `prefixed` made the pattern of; None where it did not."""
    start = f"{_quoted(prefix)}(?:"
    return pattern[len(start) : -1] if pattern.startswith(start) and pattern.endswith(")") else None


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """The names that a pattern matches as a whole; raises RegexError where it is none."""
    matches = compiled(pattern).fullmatch
    return [name for name in names if matches(name) is not None]


def alternatives(names: Iterable[str]) -> str:
    """A pattern for exactly these names."""
    return "|".join(_quoted(name) for name in sorted(names)) or _NOTHING


def _quoted(name: str) -> str:
    return name.replace(".", "\\.")


@dataclass(slots=True)
class Subscription:
    """What a member subscribed to by a pattern, and what its broker got for it, of which topics."""

    pattern: str
    sent: str
    listed: frozenset[str]


class Regexes:
    """The patterns of the members that send their heartbeats on one connection."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], Subscription] = {}

    def of(self, group: str, member: str) -> Subscription | None:
        """The subscription of a member."""
        return self._members.get((group, member))

    def keep(self, group: str, member: str, subscription: Subscription) -> None:
        """Remember what a member subscribed to: later heartbeats do not repeat it."""
        if (group, member) not in self._members and len(self._members) >= _MEMBERS:
            del self._members[next(iter(self._members))]
        self._members[group, member] = subscription

    def drop(self, group: str, member: str) -> None:
        """Forget a member that left."""
        self._members.pop((group, member), None)

    def pattern_of(self, sent: str) -> str | None:
        """The pattern for which a broker got this one."""
        return next((one.pattern for one in self._members.values() if one.sent == sent), None)
