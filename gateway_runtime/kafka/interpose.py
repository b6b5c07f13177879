"""Between a client's messages and its broker's: access checked and names mapped by the session's rules."""

from __future__ import annotations

from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.kafka.table import HANDLERS
from gateway_runtime.kafka.topic_ids import TopicIds
from gateway_runtime.kafka.view import View

METADATA = 3


class Interposer:
    """Of one session: a connection of a client. `topic_ids` are those of the cluster.

    For a request: `lookup`, whose question goes to the cluster first and its answer to `learned`; `admit`;
    `to_cluster`. For its response: `to_client`, `finish`. An API key that is not offered is a KeyError.
    """

    __slots__ = ("_view", "idle")

    def __init__(self, rules: Rules, topic_ids: TopicIds) -> None:
        self._view = View(rules, topic_ids)
        self.idle: bool = not (self._view.maps or self._view.watches_topics or rules.topic_policies)
        """Whether there is nothing to do: then no message needs to be looked at for it."""

    def lookup(self, call: Call) -> Message | None:
        """What the cluster must be asked first: a request to Metadata (12 or 13), by the cluster's names."""
        return HANDLERS[call.key].lookup(self._view, call)

    def learned(self, call: Call, question: Message, response: Message) -> None:
        """Take the cluster's answer to `lookup`."""
        ids = self._view.ids
        ids.learn(METADATA, response)
        if question["Topics"] is None:
            ids.learn_all(response)
        topics = response["Topics"]
        call.existing = frozenset(one["Name"] for one in topics if one["Name"] and not one["ErrorCode"])

    def admit(self, call: Call) -> Message | None:
        """Take out what is denied; a response where nothing is left that could be forwarded.

        Where `call.closes` is set, the connection ends once what is left was forwarded: such a request has
        no response.
        """
        return HANDLERS[call.key].admit(self._view, call)

    def to_cluster(self, call: Call) -> None:
        """Put the cluster's names into the request, which was admitted."""
        HANDLERS[call.key].to_cluster(self._view, call)

    def to_client(self, call: Call, response: Message) -> None:
        """Put the client's names into the response; what it cannot see goes."""
        self._view.ids.learn(call.key, response)
        HANDLERS[call.key].to_client(self._view, call, response)

    def finish(self, call: Call, response: Message) -> None:
        """Hide what is denied in the response, and answer for what was taken out of the request."""
        HANDLERS[call.key].finish(self._view, call, response)
