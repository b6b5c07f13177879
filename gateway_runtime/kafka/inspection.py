"""All that looks into the messages of one session, in order: access, records, names; and what it costs."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Final

from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.interpose import METADATA, Interposer
from gateway_runtime.kafka.mediator import Inspector, Question
from gateway_runtime.kafka.quota import Quota
from gateway_runtime.kafka.record_steps import RecordSteps, RefusedPartition
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.kafka.topic_ids import TopicIds
from gateway_runtime.kafka.versions import PRODUCE, PRODUCE_BY_ID
from gateway_runtime.protocols.kafka.messages import Message

_LOOKUP_VERSION: Final = 12
"""The first version of Metadata that answers for ids alone."""
_FETCHES: Final = frozenset((1, 78))


class Inspection:
    """See `gateway_runtime.kafka.mediator.Inspector`. What there is nothing to do for is None."""

    def __init__(
        self, interposer: Interposer | None, records: RecordSteps | None, quotas: Iterable[Quota]
    ) -> None:
        self._interposer = interposer
        self._publishes = records if records is not None and records.publishes else None
        self._subscribes = records if records is not None and records.subscribes else None
        self._quotas = tuple(quotas)

    def asks(self, call: Call) -> Question | None:
        """What the interposer has to know."""
        if self._interposer is None:
            return None
        question = self._interposer.lookup(call)
        return None if question is None else (METADATA, _LOOKUP_VERSION, question)

    def told(self, call: Call, question: Message, response: Message) -> None:
        """Take what the cluster says."""
        assert self._interposer is not None
        self._interposer.learned(call, question, response)

    def prepares(self, call: Call) -> Awaitable[None] | None:
        """What steps on records have to wait for."""
        if call.key != PRODUCE or self._publishes is None:
            return None
        return self._publishes.prepare(call.message)

    def request(self, call: Call) -> Message | None:
        """Check the request, run the steps on its records, then put the cluster's names into it."""
        interposer = self._interposer
        if interposer is not None:
            answer = interposer.admit(call)
            if answer is not None:
                return answer
        if call.key == PRODUCE and self._publishes is not None:
            answer = self._publish(call, self._publishes)
            if answer is not None:
                return answer
        if interposer is not None:
            interposer.to_cluster(call)
        return None

    def _publish(self, call: Call, steps: RecordSteps) -> Message | None:
        """Run the steps; a response where they leave nothing."""
        result = steps.publish(call.message)
        call.edited = call.edited or result.is_edited
        if not result.refused:
            return None
        call.refused = result.refused
        call.closes = call.closes or call.message["Acks"] == 0
        if call.message["TopicData"]:
            return None
        response: Message = {"Responses": []}
        if self._interposer is not None:
            self._interposer.finish(call, response)
        _answer_refused(call, response)
        return response

    def response(self, call: Call, response: Message) -> None:
        """Put the client's names into the response, run the steps on its records, complete it."""
        interposer = self._interposer
        if interposer is not None:
            interposer.to_client(call, response)
        if self._subscribes is not None and call.key in _FETCHES:
            call.response_edited = self._subscribes.subscribe(response).is_edited or call.response_edited
        if interposer is not None:
            interposer.finish(call, response)
        if call.refused:
            _answer_refused(call, response)
            call.response_edited = True

    def cost(self, received: int, sent: int, requests: int) -> int:
        """What the quotas say."""
        mute = 0
        for quota in self._quotas:
            mute = max(mute, quota.charge(received, sent, requests))
        return mute

    def settles(self, call: Call) -> bool:
        """Whether all that makes the answer is what the topics' ids are."""
        return (
            call.key == PRODUCE
            and call.version >= PRODUCE_BY_ID
            and self._publishes is None
            and not (call.edited or call.denied or call.refused or call.closes)
            and call.message["TransactionalId"] is None
        )

    @property
    def free(self) -> tuple[int, int] | None:
        """How many requests and bytes may pass between two calls of `cost`; None: any number."""
        limits = [quota.free for quota in self._quotas]
        return (min(one[0] for one in limits), min(one[1] for one in limits)) if limits else None


def _answer_refused(call: Call, response: Message) -> None:
    """Answer for the partitions that steps have refused."""
    topics = {_identity(topic): topic for topic in response["Responses"]}
    refused: list[RefusedPartition] = call.refused or []
    for one in refused:
        key = _identity(one.topic)
        answer = topics.get(key)
        if answer is None:
            answer = topics[key] = {"Name": key, "TopicId": one.topic.get("TopicId", bytes(16))}
            answer["PartitionResponses"] = []
            response["Responses"].append(answer)
        answer["PartitionResponses"].append(_refusal(one))


def _identity(topic: Message) -> object:
    return topic.get("TopicId") or topic.get("Name", "")


def _refusal(one: RefusedPartition) -> Message:
    errors = [] if one.index is None else [{"BatchIndex": one.index, "BatchIndexErrorMessage": one.message}]
    return {
        "Index": one.partition["Index"],
        "ErrorCode": one.code,
        "BaseOffset": -1,
        "LogAppendTimeMs": -1,
        "LogStartOffset": -1,
        "RecordErrors": errors,
        "ErrorMessage": one.message,
    }


def inspection(rules: Rules, ids: TopicIds, records: RecordSteps) -> Inspector | None:
    """What looks into the messages of a session; None where nothing has to."""
    interposer = Interposer(rules, ids)
    has_records = records.publishes or records.subscribes
    if interposer.idle and not has_records and not rules.quotas:
        return None
    used = None if interposer.idle else interposer
    return Inspection(used, records if has_records else None, rules.quotas)
