"""What responses tell of a cluster's topics: the names of topic ids, and which topics there are."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, Final

Message = dict[str, Any]

NO_ID: Final = bytes(16)

_METADATA: Final = 3
_REMEMBERED: Final = 200_000
_MISSING_FOR: Final = 1.0
"""Seconds for which an id that the cluster did not know is not asked for again."""

_TAUGHT_BY: Final = {
    3: ("Topics", "Name", "TopicId"),
    19: ("Topics", "Name", "TopicId"),
    75: ("Topics", "Name", "TopicId"),
}
"""API key -> where its response has names beside ids."""


class TopicIds:
    """Of one cluster, in its own names; shared by the sessions of an API. Ids are never reused."""

    __slots__ = ("_clock", "_missing", "_names", "listed", "listed_at")

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._names: dict[bytes, str] = {}
        self._missing: dict[bytes, float] = {}
        self.listed: frozenset[str] = frozenset()
        """All topics, as they were last listed; the same object as long as they are the same."""
        self.listed_at: float | None = None

    def name(self, topic_id: bytes) -> str | None:
        """The name of a topic in the cluster."""
        return self._names.get(topic_id)

    def is_to_ask(self, topic_id: bytes) -> bool:
        """Whether the id is not known, nor known to be missing a moment ago."""
        if topic_id in self._names:
            return False
        missing_since = self._missing.get(topic_id)
        return missing_since is None or self._clock() - missing_since > _MISSING_FOR

    def age(self) -> float:
        """Seconds since all topics were listed."""
        return float("inf") if self.listed_at is None else self._clock() - self.listed_at

    def learn(self, key: int, response: Message) -> None:
        """Keep what a response of the cluster tells; names must still be the cluster's."""
        where = _TAUGHT_BY.get(key)
        if where is not None:
            topics, name, topic_id = where
            for topic in response[topics]:
                self._learn_one(topic.get(topic_id), topic.get(name), topic["ErrorCode"])
        elif key in (69, 77):
            self._learn_members(response)

    def learn_all(self, response: Message) -> None:
        """Keep that a response to Metadata lists all topics."""
        names = frozenset(
            topic["Name"] for topic in response["Topics"] if topic["Name"] and topic["ErrorCode"] != 3
        )
        if names != self.listed:
            self.listed = names
        self.listed_at = self._clock()

    def _learn_members(self, response: Message) -> None:
        for group in response["Groups"]:
            for member in group["Members"]:
                for assignment in (member["Assignment"], member.get("TargetAssignment")):
                    for topic in assignment["TopicPartitions"] if assignment else ():
                        self._learn_one(topic["TopicId"], topic["TopicName"], 0)

    def _learn_one(self, topic_id: bytes | None, name: str | None, error: int) -> None:
        if topic_id is None or topic_id == NO_ID:
            return
        topic_id = bytes(topic_id)
        if name and not error:
            _bound(self._names)
            self._names[topic_id] = name
            self._missing.pop(topic_id, None)
        elif error:
            _bound(self._missing)
            self._missing[topic_id] = self._clock()


def _bound(known: dict[bytes, Any]) -> None:
    if len(known) >= _REMEMBERED:
        del known[next(iter(known))]
