"""All that looks into the messages of one session, in its order: access, records, names; and what it costs."""

from __future__ import annotations

from typing import Final

from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.interpose import METADATA, Interposer
from gateway_runtime.kafka.mediator import Inspector
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.kafka.topic_ids import TopicIds
from gateway_runtime.protocols.kafka.messages import Message

_LOOKUP_VERSION: Final = 12
"""The first version of Metadata that answers for ids alone."""


class Inspection:
    """See `gateway_runtime.kafka.mediator.Inspector`."""

    def __init__(self, interposer: Interposer) -> None:
        self._interposer = interposer

    def asks(self, call: Call) -> tuple[int, int, Message] | None:
        """What the interposer has to know."""
        question = self._interposer.lookup(call)
        return None if question is None else (METADATA, _LOOKUP_VERSION, question)

    def told(self, call: Call, question: Message, response: Message) -> None:
        """Take what the cluster says."""
        self._interposer.learned(call, question, response)

    def request(self, call: Call, size: int) -> Message | None:
        """Check the request, then put the cluster's names into it."""
        answer = self._interposer.admit(call)
        if answer is None:
            self._interposer.to_cluster(call)
        return answer

    def response(self, call: Call, response: Message, size: int) -> int:
        """Put the client's names into the response, and answer for what was taken out of the request."""
        self._interposer.to_client(call, response)
        self._interposer.finish(call, response)
        return 0


def inspection(rules: Rules, ids: TopicIds) -> Inspector | None:
    """What looks into the messages of a session with these rules; None where nothing has to."""
    interposer = Interposer(rules, ids)
    return None if interposer.idle else Inspection(interposer)
