"""Steps on records, and the flows that say for which topics they are."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.record_message import RecordMessage

_MAX_TOPICS: Final = 4096


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a record does not go on: an error code of Kafka, and text for people."""

    code: int
    message: str


class RecordStep:
    """What a policy does to one record; `exchange.message` is the record as well."""

    waits: bool = False
    """Whether there may be something to wait for."""

    def prepare(self, exchange: Exchange, message: RecordMessage) -> Awaitable[None] | None:
        """What has to be waited for before this record; None: nothing."""
        return None

    def run(self, exchange: Exchange, message: RecordMessage) -> Refused | None:
        """Change the record, or tell why it does not go on."""
        raise NotImplementedError


Steps = Sequence[RecordStep]


@dataclass(frozen=True, slots=True)
class RecordFlow:
    """Steps for the records of some topics: names, or prefixes with `*` at their end; none: all topics."""

    topics: tuple[str, ...]
    steps: tuple[RecordStep, ...]

    def is_for(self, topic: str) -> bool:
        """Whether it is for a topic, as the client names it."""
        return not self.topics or any(_matches(pattern, topic) for pattern in self.topics)


def _matches(pattern: str, topic: str) -> bool:
    return topic.startswith(pattern[:-1]) if pattern.endswith("*") else topic == pattern


class StepsByTopic:
    """The steps of flows, by topic."""

    __slots__ = ("_flows", "_known", "_needs_names")

    def __init__(self, flows: Sequence[RecordFlow]) -> None:
        self._flows = tuple(flow for flow in flows if flow.steps)
        self._needs_names = any(flow.topics for flow in self._flows)
        self._known: dict[str, Steps] = {}

    def __bool__(self) -> bool:
        return bool(self._flows)

    def of(self, topic: str) -> Steps | None:
        """The steps for a topic; None where that cannot be told, since its name (empty) is not known."""
        if not topic and self._needs_names:
            return None
        found = self._known.get(topic)
        if found is None:
            if len(self._known) >= _MAX_TOPICS:
                self._known.clear()
            found = tuple(step for flow in self._flows if flow.is_for(topic) for step in flow.steps)
            self._known[topic] = found
        return found
