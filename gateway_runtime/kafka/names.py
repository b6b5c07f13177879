"""Names as a client knows them <-> names in the cluster."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

_TOPIC_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._-]*")
_LONGEST_TOPIC: Final = 249
_LONGEST_NAME: Final = 32767
_REMEMBERED: Final = 10_000

_T = TypeVar("_T")


class MappingError(ValueError):
    """Mappings that cannot be; the message is for the person who wrote them."""


class IllegalName(ValueError):  # noqa: N818 - it says what the name is
    """A client's name that has no legal one in the cluster."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """One name to another; where `prefix` is set, all that start so, keeping what follows."""

    client: str
    cluster: str
    prefix: bool = False

    @classmethod
    def parse(cls, client: str, cluster: str) -> Mapping:
        """A mapping as users write it: `orders` to `team1.orders`, or `orders-*` to `team1.orders-*`.

        Raises MappingError where only one side ends in a star, or a star is elsewhere.
        """
        prefix = client.endswith("*")
        if prefix != cluster.endswith("*"):
            raise MappingError(f"`{client}` and `{cluster}` must both end in a star, or neither")
        if prefix:
            client, cluster = client[:-1], cluster[:-1]
        if "*" in client or "*" in cluster:
            raise MappingError("a star stands only at the end of a name")
        if not (client or cluster):
            raise MappingError("the prefix is empty")
        return cls(client, cluster, prefix)

    def forward(self, name: str) -> str | None:
        """The cluster's name of a client's; None where the mapping is not for it."""
        return _replaced(name, self.client, self.cluster, self.prefix)

    def backward(self, name: str) -> str | None:
        """The client's name of a cluster's; None where the mapping does not give it."""
        return _replaced(name, self.cluster, self.client, self.prefix)

    def covers(self, name: str) -> bool:
        """Whether the mapping gives that name of the cluster."""
        return name.startswith(self.cluster) if self.prefix else name == self.cluster

    def meets(self, other: Mapping) -> bool:
        """Whether two mappings could give the same name."""
        return self.covers(other.cluster) or other.covers(self.cluster)


def _replaced(name: str, old: str, new: str, prefix: bool) -> str | None:
    if not prefix:
        return new if name == old else None
    return new + name[len(old) :] if name.startswith(old) else None


class NameMap:
    """Ordered mappings both ways: the first that is for a name counts; what none is for stays as it is.

    No two names of a client become one: mappings that could give the same name are refused, and a name that
    a mapping gives is not a client's own unless a mapping says so. `topics` are held to Kafka's rules for
    topic names.
    """

    __slots__ = ("_backward", "_forward", "_mappings", "topics")

    def __init__(self, mappings: Sequence[Mapping], topics: bool = False) -> None:
        self._mappings = tuple(mappings)
        self.topics = topics
        self._forward: dict[str, str] = {}
        self._backward: dict[str, str | None] = {}
        self._check()

    @property
    def prefix(self) -> str | None:
        """What is put before every name; None where the mapping is not as simple as that."""
        first = self._mappings[0]
        return first.cluster if len(self._mappings) == 1 and first.prefix and not first.client else None

    def to_cluster(self, name: str) -> str:
        """The cluster's name of a client's.

        Raises IllegalName where there is none, or not a legal one.
        """
        known = self._forward.get(name)
        if known is not None:
            return known
        return _remember(self._forward, name, self._checked(name, self._mapped(name)))

    def to_client(self, name: str) -> str | None:
        """The client's name of a cluster's; None where a client cannot see it."""
        try:
            return self._backward[name]
        except KeyError:
            return _remember(self._backward, name, self._seen(name))

    def of_client(self, name: str) -> Mapping | None:
        """The mapping that is for a client's name."""
        return next((mapping for mapping in self._mappings if mapping.forward(name) is not None), None)

    def of_cluster(self, name: str) -> Mapping | None:
        """The mapping that gives a cluster's name."""
        return next((mapping for mapping in self._mappings if mapping.covers(name)), None)

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """The mappings in order."""
        return self._mappings

    def _mapped(self, name: str) -> str:
        mapping = self.of_client(name)
        if mapping is None:
            if self.of_cluster(name) is not None:
                raise IllegalName(f"`{name}` is a name of the cluster that the gateway gives to another")
            return name
        mapped = mapping.forward(name)
        assert mapped is not None
        return mapped

    def _checked(self, name: str, mapped: str) -> str:
        if self.topics and not is_legal_topic(mapped):
            raise IllegalName(
                f"`{name}` becomes `{mapped}` in the cluster, which is no topic name: "
                f"1 to {_LONGEST_TOPIC} of A-Z, a-z, 0-9, `.`, `_` and `-`, and neither `.` nor `..`"
            )
        if len(mapped.encode()) > _LONGEST_NAME:
            raise IllegalName("the name in the cluster is too long")
        return mapped

    def _seen(self, name: str) -> str | None:
        mapping = self.of_cluster(name)
        if mapping is None:
            return name if self.of_client(name) is None else None
        client = mapping.backward(name)
        return client if client is not None and self.of_client(client) is mapping else None

    def _check(self) -> None:
        if not self._mappings:
            raise MappingError("there is no mapping")
        for index, mapping in enumerate(self._mappings):
            self._check_characters(mapping)
            for other in self._mappings[:index]:
                _check_pair(other, mapping)

    def _check_characters(self, mapping: Mapping) -> None:
        if not self.topics:
            return
        if not _TOPIC_CHARACTERS.fullmatch(mapping.cluster):
            raise MappingError(f"`{mapping.cluster}` holds characters that a topic's name cannot")
        if not mapping.prefix and not is_legal_topic(mapping.cluster):
            raise MappingError(f"`{mapping.cluster}` is no topic name")


def _check_pair(first: Mapping, second: Mapping) -> None:
    if first.forward(second.client) is not None and (first.prefix or not second.prefix):
        raise MappingError(
            f"`{second.client}` is never reached: `{first.client}` before it is for the same names"
        )
    if first.meets(second):
        raise MappingError(
            f"`{first.cluster}` and `{second.cluster}` could give the same name in the cluster"
        )


def _remember(known: dict[str, _T], name: str, value: _T) -> _T:
    """Keep what a name becomes; clients choose names, so that there must be an end to what is kept."""
    if len(known) >= _REMEMBERED:
        known.clear()
    known[name] = value
    return value


def is_legal_topic(name: str) -> bool:
    """Whether Kafka takes a name for a topic."""
    return (
        0 < len(name) <= _LONGEST_TOPIC
        and name not in (".", "..")
        and _TOPIC_CHARACTERS.fullmatch(name) is not None
    )
