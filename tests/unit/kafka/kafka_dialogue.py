"""One client's requests as they reach the cluster, and the cluster's responses as they reach the client.

Every message goes through its bytes, as on the wire: what a handler makes must be a message of its version.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway_runtime.kafka.access import AccessRule, Authorizer, Operation, PatternType, Resource
from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.interpose import Interposer
from gateway_runtime.kafka.names import Mapping, NameMap
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.kafka.topic_ids import TopicIds
from gateway_runtime.protocols.kafka.messages import KEYS, Layout, request_layout, response_layout

Message = dict[str, Any]
KEY = {api.name: api.key for api in KEYS.values()}
NO_ID = bytes(16)


def wire(layout: Layout, message: Message) -> Message:
    """A message as its bytes give it."""
    return layout.decode(b"".join(layout.encode(message)))


@dataclass
class Clock:
    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Sent:
    """A request on its way: as the cluster gets it, or answered by the gateway."""

    session: Session
    call: Call
    forwarded: Message | None
    answered: Message | None
    questions: list[Message]

    def respond(self, response: Message) -> Message:
        """The cluster's response, as the client gets it."""
        layout = response_layout(self.call.key, self.call.version)
        decoded = wire(layout, response)
        before = wire(layout, response)
        self.session.interposer.to_client(self.call, decoded)
        self.session.interposer.finish(self.call, decoded)
        told = wire(layout, decoded)
        if not self.call.response_edited:
            assert told == before, "a response was changed that is not marked as edited"
        return told


@dataclass
class Session:
    """A client's connection. `cluster` answers look-ups: the topics that there are, name -> id."""

    rules: Rules
    ids: TopicIds = field(default_factory=TopicIds)
    cluster: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.interposer = Interposer(self.rules, self.ids)

    def send(self, name: str, version: int, message: Message) -> Sent:
        """A request of the client."""
        layout = request_layout(KEY[name], version)
        call = Call(KEY[name], version, wire(layout, message))
        before = wire(layout, message)
        questions = self._look_up(call)
        answer = self.interposer.admit(call)
        if answer is not None:
            told = wire(response_layout(KEY[name], version), answer)
            return Sent(self, call, None, told, questions)
        self.interposer.to_cluster(call)
        forwarded = wire(layout, call.message)
        if not call.edited:
            assert forwarded == before, "a request was changed that is not marked as edited"
        return Sent(self, call, forwarded, None, questions)

    def _look_up(self, call: Call) -> list[Message]:
        question = self.interposer.lookup(call)
        if question is None:
            return []
        asked = wire(request_layout(3, 12), question)
        self.interposer.learned(call, question, wire(response_layout(3, 12), self._metadata(asked)))
        return [asked]

    def _metadata(self, asked: Message) -> Message:
        if asked["Topics"] is None:
            found = [_topic(name, self.cluster) for name in self.cluster]
        else:
            names = {topic_id: name for name, topic_id in self.cluster.items()}
            found = [
                _topic(one["Name"] or names.get(one["TopicId"]), self.cluster, one["TopicId"])
                for one in asked["Topics"]
            ]
        return {"Topics": found}


def _topic(name: str | None, cluster: dict[str, bytes], topic_id: bytes = NO_ID) -> Message:
    if name is None:
        return {"ErrorCode": 100, "Name": None, "TopicId": topic_id}
    error = 0 if name in cluster else 3
    return {"ErrorCode": error, "Name": name, "TopicId": cluster.get(name, NO_ID)}


def topic_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def allow(resource: Resource, name: str, *operations: Operation, **more: Any) -> AccessRule:
    """A rule for a literal name, `orders-*` as a prefix."""
    pattern = PatternType.LITERAL
    if len(name) > 1 and name.endswith("*"):
        pattern, name = PatternType.PREFIX, name[:-1]
    return AccessRule(resource, pattern, name, frozenset(operations or {Operation.ALL}), **more)


def rules(
    *access: AccessRule,
    topics: str | list[tuple[str, str]] | None = None,
    groups: str | None = None,
    transactional_ids: str | None = None,
) -> Rules:
    """Rules of a session; a mapping is a prefix for all names, or pairs."""
    made = Rules()
    if access:
        made.authorizers.append(Authorizer(access))
    for resource, given in (
        (Resource.TOPIC, topics),
        (Resource.GROUP, groups),
        (Resource.TRANSACTIONAL_ID, transactional_ids),
    ):
        if given is not None:
            pairs = [("*", f"{given}*")] if isinstance(given, str) else given
            mappings = [Mapping.parse(*pair) for pair in pairs]
            made.maps[resource] = NameMap(mappings, topics=resource is Resource.TOPIC)
    return made
