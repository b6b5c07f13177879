"""Produce requests and Fetch responses through the steps of a client's flows.

What is published is refused by partition, since a producer's sequence has no room for gaps; what may not be
read is left out, as compaction leaves records out. Topics go by the names that the client knows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway_runtime.exchange import Exchange
from gateway_runtime.kafka.call import Message
from gateway_runtime.kafka.error_codes import MESSAGES, UNKNOWN_TOPIC_ID
from gateway_runtime.kafka.record_flows import RecordFlow, Refused, Steps, StepsByTopic
from gateway_runtime.kafka.record_message import RecordMessage
from gateway_runtime.kafka.record_partitions import PartitionRun, RefusedError

_MAX_WAITING: Final = 16
"""Things that one request waits for; what needs more is refused, and finds the first ones there as it comes
again.
"""

_UNNAMED: Final = Refused(UNKNOWN_TOPIC_ID, MESSAGES[UNKNOWN_TOPIC_ID])


@dataclass(frozen=True, slots=True)
class RefusedPartition:
    """A partition of a request that does not go on; `index` is of the record in its batch, where one is
    why.
    """

    topic: Message
    partition: Message
    code: int
    message: str
    index: int | None = None


@dataclass(slots=True)
class Result:
    """What steps did to a message: whether its bytes are others now, and what of it was refused."""

    is_edited: bool = False
    refused: list[RefusedPartition] = field(default_factory=list)


class RecordSteps:
    """Those of one client's session, whose exchange their expressions see."""

    def __init__(
        self, exchange: Exchange, publish: Sequence[RecordFlow], subscribe: Sequence[RecordFlow]
    ) -> None:
        self._exchange = exchange
        self._publish = StepsByTopic(publish)
        self._subscribe = StepsByTopic(subscribe)
        self._waits = any(step.waits for flow in publish for step in flow.steps)

    @property
    def publishes(self) -> bool:
        """Whether there are steps on what is sent."""
        return bool(self._publish)

    @property
    def subscribes(self) -> bool:
        """Whether there are steps on what is read."""
        return bool(self._subscribe)

    def prepare(self, message: Message) -> Awaitable[None] | None:
        """What is to be waited for, once, before `publish` of this Produce request; None: nothing."""
        if not self._waits:
            return None
        waiting: dict[int, Awaitable[None]] = {}
        for one in self._waiting(message):
            waiting[id(one)] = one
            if len(waiting) == _MAX_WAITING:
                break
        return _all(list(waiting.values())) if waiting else None

    def _waiting(self, message: Message) -> Iterator[Awaitable[None]]:
        for topic in message["TopicData"]:
            name = topic.get("Name") or ""
            steps = [step for step in self._publish.of(name) or () if step.waits]
            for partition in topic["PartitionData"] if steps else ():
                run = PartitionRun(self._exchange, steps, name, partition["Index"])
                for record in run.records(partition["Records"] or memoryview(b"")):
                    yield from self._prepared(steps, record)

    def _prepared(self, steps: Steps, record: RecordMessage) -> Iterator[Awaitable[None]]:
        for step in steps:
            waiting = None
            # What fails here fails again as the step runs, and lets nothing through there.
            with contextlib.suppress(Exception):
                waiting = step.prepare(self._exchange, record)
            if waiting is not None:
                yield waiting

    def publish(self, message: Message) -> Result:
        """Run the steps on a Produce request, in place; partitions that are refused are taken out of it."""
        result = Result()
        for topic in message["TopicData"] if self._publish else ():
            name = topic.get("Name") or ""
            kept = [
                one for one in topic["PartitionData"] if self._publish_partition(topic, name, one, result)
            ]
            topic["PartitionData"] = kept
        if result.refused:
            message["TopicData"] = [topic for topic in message["TopicData"] if topic["PartitionData"]]
            result.is_edited = True
        return result

    def _publish_partition(self, topic: Message, name: str, partition: Message, result: Result) -> bool:
        """Whether a partition goes on."""
        try:
            steps = _known(self._publish.of(name))
            run = PartitionRun(self._exchange, steps, name, partition["Index"])
            edited = run.published(partition["Records"]) if steps and partition["Records"] else None
        except RefusedError as error:
            why = error.refused
            result.refused.append(RefusedPartition(topic, partition, why.code, why.message, error.index))
            return False
        if edited is not None:
            partition["Records"] = memoryview(edited)
            result.is_edited = True
        return True

    def subscribe(self, message: Message) -> Result:
        """Run the steps on the response to Fetch or ShareFetch, in place.

        A partition that is refused tells so in place of its records.
        """
        result = Result()
        for topic in message["Responses"] if self._subscribe else ():
            name = topic.get("Topic") or ""
            for partition in topic["Partitions"]:
                if partition.get("Records"):
                    self._subscribe_partition(topic, name, partition, result)
        return result

    def _subscribe_partition(self, topic: Message, name: str, partition: Message, result: Result) -> None:
        try:
            steps = _known(self._subscribe.of(name))
            run = PartitionRun(self._exchange, steps, name, partition["PartitionIndex"])
            edited = run.subscribed(partition["Records"]) if steps else None
        except RefusedError as error:
            why = error.refused
            result.refused.append(RefusedPartition(topic, partition, why.code, why.message))
            partition.update(ErrorCode=why.code, ErrorMessage=why.message, Records=memoryview(b""))
            result.is_edited = True
            return
        if edited is not None:
            partition["Records"] = memoryview(edited)
            result.is_edited = True


def _known(steps: Steps | None) -> Steps:
    if steps is None:
        raise RefusedError(_UNNAMED)
    return steps


async def _all(waiting: Sequence[Awaitable[None]]) -> None:
    for one in waiting:
        await one
