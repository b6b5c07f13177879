"""Metadata and DescribeTopicPartitions: which topics there are for a client, and none made by asking."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import (
    INVALID_REQUEST,
    MESSAGES,
    TOPIC_AUTHORIZATION_FAILED,
    UNKNOWN_TOPIC_ID,
    UNKNOWN_TOPIC_OR_PARTITION,
)
from gateway_runtime.kafka.handler import Handler
from gateway_runtime.kafka.parts import ID, Parts
from gateway_runtime.kafka.topic_ids import NO_ID
from gateway_runtime.kafka.view import View

_TELLS_CREATION: Final = 4
"""The first version whose requests say whether topics may be made by asking for them."""
_NAMELESS: Final = 12
"""The first version whose topics may be given by their ids alone."""
_LISTED_FOR: Final = 30.0
_TOPICS: Final = Parts(Resource.TOPIC, Operation.DESCRIBE, "Topics", "Name", "Topics", "Name")


class Metadata(Handler):
    """Topics that a client may not describe are invisible in lists, and denied by name or id."""

    def lookup(self, view: View, call: Call) -> Message | None:
        """Old requests always make topics: ask about those that a client may not make before."""
        if call.version >= _TELLS_CREATION or _is_all(call) or not guards_creation(view):
            return None
        names = [view.to_cluster(Resource.TOPIC, name) for name in _not_creatable(view, call)]
        topics = [{ID: NO_ID, "Name": name} for name in sorted(set(names))]
        return {"Topics": topics, "AllowAutoTopicCreation": False} if topics else None

    def admit(self, view: View, call: Call) -> Message | None:
        """Take out denied names; forbid creation where one of the topics may not be made."""
        call.listed = _is_all(call)
        if call.listed:
            return None
        by_id = _by_id(call)
        _TOPICS.take_out(view, call)
        self._guard_creation(view, call)
        call.message["Topics"] = [*call.message["Topics"], *by_id]
        return None

    def to_cluster(self, view: View, call: Call) -> None:
        """Map the names; topics by id have none."""
        if Resource.TOPIC in view.maps:
            for topic in call.message["Topics"] or ():
                if topic.get("Name"):
                    topic["Name"] = view.to_cluster(Resource.TOPIC, topic["Name"])
                    call.edited = True

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the names back; what a client cannot see is not there, by id not known."""
        if call.listed:
            view.ids.learn_all(response)
        if Resource.TOPIC not in view.maps:
            return
        topics = (_seen(view, topic, call) for topic in response["Topics"])
        response["Topics"] = [topic for topic in topics if topic is not None]
        call.response_edited = True

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Hide what may not be described, answer for what was taken out, and tell what may be done."""
        if not view.authorizers and not call.denied and call.notes is None:
            return
        call.response_edited = True
        if call.version == 0 and not call.listed and not call.message["Topics"]:
            response["Topics"] = []  # an empty array asked the broker for all
        described = (_described(view, topic, call) for topic in response["Topics"])
        response["Topics"] = [topic for topic in described if topic is not None]
        _tell_operations(view, response["Topics"])
        if "ClusterAuthorizedOperations" in response:
            told = response["ClusterAuthorizedOperations"]
            response["ClusterAuthorizedOperations"] = view.operations(Resource.CLUSTER, "", told)
        if call.denied:
            response["Topics"] += [_denied(part["Name"], code) for part, code in call.denied]

    def _guard_creation(self, view: View, call: Call) -> None:
        if not guards_creation(view):
            return
        barred = frozenset(_not_creatable(view, call))
        if not barred:
            return
        if call.version >= _TELLS_CREATION:
            if call.message["AllowAutoTopicCreation"]:
                call.message["AllowAutoTopicCreation"] = False
                call.notes = barred
                call.edited = True
            return
        self._bar(view, call, barred)

    def _bar(self, view: View, call: Call, barred: frozenset[str]) -> None:
        existing = call.existing or frozenset()
        missing = {name for name in barred if view.to_cluster(Resource.TOPIC, name) not in existing}
        if not missing:
            return
        topics = call.message["Topics"]
        denied = [(topic, TOPIC_AUTHORIZATION_FAILED) for topic in topics if topic["Name"] in missing]
        call.denied = [*(call.denied or ()), *denied]
        call.message["Topics"] = [topic for topic in topics if topic["Name"] not in missing]
        call.edited = True


class DescribeTopicPartitions(Handler):
    """A page of topics. All become those that are visible, so that a cursor always names one of them."""

    def lookup(self, view: View, call: Call) -> Message | None:
        """All topics are listed first, by name."""
        if call.message["Topics"] or not view.watches_topics or view.ids.age() < _LISTED_FOR:
            return None
        return {"Topics": None, "AllowAutoTopicCreation": False}

    def admit(self, view: View, call: Call) -> Message | None:
        """Take out denied topics."""
        cursor = call.message["Cursor"]
        if cursor is not None and view.name_error(Resource.TOPIC, cursor["TopicName"]):
            return {"Topics": [_denied(cursor["TopicName"], INVALID_REQUEST)]}
        if not view.watches_topics:
            return None
        if not call.message["Topics"]:
            call.listed = True
            call.message["Topics"] = [{"Name": name} for name in view.visible_topics()]
            call.edited = True
            return None if call.message["Topics"] else {"Topics": []}
        _TOPICS.take_out(view, call)
        if call.message["Topics"]:
            return None
        return {"Topics": self._answers(call)}

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the names back; a cursor that a client cannot see ends the list."""
        cursor = response["NextCursor"]
        if cursor is not None and view.to_client(Resource.TOPIC, cursor["TopicName"]) is None:
            response["NextCursor"] = None
        super().to_client(view, call, response)
        if call.listed:
            there = (one for one in response["Topics"] if one["ErrorCode"] != UNKNOWN_TOPIC_OR_PARTITION)
            response["Topics"] = list(there)
            call.response_edited = True

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Answer for what was taken out, and tell what may be done."""
        if view.authorizers:
            _tell_operations(view, response["Topics"])
            call.response_edited = True
        if call.denied:
            response["Topics"] = [*response["Topics"], *self._answers(call)]
            call.response_edited = True

    def _answers(self, call: Call) -> list[Message]:
        """Denied topics from the cursor on: those before were answered for with an earlier page."""
        cursor = call.message["Cursor"]
        start = "" if cursor is None else cursor["TopicName"]
        return [_denied(part["Name"], code) for part, code in call.denied or () if part["Name"] >= start]


def may_create(view: View, name: str) -> bool:
    """Whether a client may make a topic of that name at all."""
    allowed = view.allows_cluster(Operation.CREATE) or view.allows(Resource.TOPIC, name, Operation.CREATE)
    return allowed and all(policy.allows_name(name) for policy in view.rules.topic_policies)


def _is_all(call: Call) -> bool:
    topics = call.message["Topics"]
    return topics is None or (call.version == 0 and not topics)


def _by_id(call: Call) -> list[Message]:
    """Take topics that are given by their ids out of the request; names beside them do not count."""
    if call.version < _NAMELESS:
        return []
    topics = call.message["Topics"]
    call.message["Topics"] = [topic for topic in topics if topic[ID] == NO_ID]
    by_id = [topic for topic in topics if topic[ID] != NO_ID]
    for topic in by_id:
        topic["Name"] = None
        call.edited = True
    return by_id


def guards_creation(view: View) -> bool:
    """Whether some topics may not be made."""
    return bool(view.authorizers or view.rules.topic_policies)


def _not_creatable(view: View, call: Call) -> Iterable[str]:
    for topic in call.message["Topics"]:
        name = topic["Name"]
        if name and not view.error(Resource.TOPIC, name, Operation.DESCRIBE) and not may_create(view, name):
            yield name


def _seen(view: View, topic: Message, call: Call) -> Message | None:
    """A topic by the client's name."""
    name = topic["Name"]
    if name is None:
        return topic
    client = view.to_client(Resource.TOPIC, name)
    if client is not None:
        topic["Name"] = client
        return topic
    return _by_id_alone(topic, UNKNOWN_TOPIC_ID, call)


def _by_id_alone(topic: Message, code: int, call: Call) -> Message | None:
    """The answer for a topic that was asked for by its id, and whose name is not for the client."""
    if call.listed or call.version < _NAMELESS:
        return None
    return {"ErrorCode": code, "Name": None, ID: topic[ID]}


def _described(view: View, topic: Message, call: Call) -> Message | None:
    """A topic as its client may know it; None where that is not at all."""
    name = topic["Name"]
    if name is None:
        return topic
    if view.error(Resource.TOPIC, name, Operation.DESCRIBE):
        return _by_id_alone(topic, TOPIC_AUTHORIZATION_FAILED, call)
    if call.notes and name in call.notes and topic["ErrorCode"] == UNKNOWN_TOPIC_OR_PARTITION:
        return _denied(name, TOPIC_AUTHORIZATION_FAILED)
    return topic


def _denied(name: str | None, code: int) -> Message:
    return {"ErrorCode": code, "ErrorMessage": MESSAGES[code], "Name": name}


def _tell_operations(view: View, topics: list[Any]) -> None:
    for topic in topics:
        if topic.get("Name") and "TopicAuthorizedOperations" in topic:
            told = topic["TopicAuthorizedOperations"]
            topic["TopicAuthorizedOperations"] = view.operations(Resource.TOPIC, topic["Name"], told)
