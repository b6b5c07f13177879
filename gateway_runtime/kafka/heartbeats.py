"""Heartbeats of groups whose broker assigns (KIP-848, KIP-932, KIP-1071): topics by name and by pattern.

A pattern goes on with the prefix of the mapping before it where that is all there is to do. Else, and under
access rules, it is matched here against the topics that are visible to the client, and the broker gets their
names; as topics come and go, the names follow with a later heartbeat.
"""

from __future__ import annotations

from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import (
    INVALID_REGULAR_EXPRESSION,
    NONE,
    TOPIC_AUTHORIZATION_FAILED,
)
from gateway_runtime.kafka.handler import Handler, Need
from gateway_runtime.kafka.metadata import guards_creation, may_create
from gateway_runtime.kafka.regexes import RegexError, Subscription, alternatives, matching, prefixed
from gateway_runtime.kafka.topic_ids import NO_ID
from gateway_runtime.kafka.view import View
from gateway_runtime.kafka.walk import names_at

_LISTED_FOR: Final = 60.0
"""Seconds after which topics are listed anew for a member with a pattern."""
_READ_GROUP: Final = Need(Resource.GROUP, Operation.READ, "GroupId")
_SUBSCRIBED: Final = (("SubscribedTopicNames",),)
_TOPOLOGY: Final = (
    ("Topology", "Subtopologies", "SourceTopics"),
    ("Topology", "Subtopologies", "RepartitionSinkTopics"),
    ("Topology", "Subtopologies", "RepartitionSourceTopics", "Name"),
    ("Topology", "Subtopologies", "StateChangelogTopics", "Name"),
)
_INTERNAL: Final = _TOPOLOGY[2:]


class Heartbeat(Handler):
    """A heartbeat with topics by name."""

    paths: tuple[tuple[str, ...], ...] = _SUBSCRIBED

    def admit(self, view: View, call: Call) -> Message | None:
        """Check the group, then every topic: one that may not be described refuses the whole."""
        code = _READ_GROUP.error(view, call.message) or self._topic_error(view, call.message)
        return self.refuse(call, code) if code else None

    def _topic_error(self, view: View, message: Message) -> int:
        for path in self.paths:
            for name in names_at(message, path):
                code = view.error(Resource.TOPIC, name, Operation.DESCRIBE)
                if code:
                    return code
        return NONE


class ConsumerHeartbeat(Heartbeat):
    """A consumer's heartbeat, which may subscribe by a pattern; later ones do not repeat it."""

    def lookup(self, view: View, call: Call) -> Message | None:
        """List the topics from time to time, where patterns are matched here."""
        return _list_topics(view) if self._pattern(view, call) else None

    def admit(self, view: View, call: Call) -> Message | None:
        """Put the pattern for the cluster into the heartbeat, where it is new or its topics changed."""
        refusal = super().admit(view, call)
        if refusal is not None or not view.watches_topics:
            return refusal
        message = call.message
        if message["MemberEpoch"] < 0:
            view.regexes.drop(message["GroupId"], message["MemberId"])
        try:
            self._subscribe(view, call)
        except RegexError:
            return self.refuse(call, INVALID_REGULAR_EXPRESSION)
        return None

    def _subscribe(self, view: View, call: Call) -> None:
        message = call.message
        group, member = message["GroupId"], message["MemberId"]
        if message.get("SubscribedTopicRegex") == "":
            view.regexes.drop(group, member)
            return
        pattern = self._pattern(view, call)
        if pattern is None:
            return
        before = view.regexes.of(group, member)
        if message["SubscribedTopicRegex"] is None and before and before.listed is view.ids.listed:
            return
        sent = to_cluster_pattern(view, pattern)
        view.regexes.keep(group, member, Subscription(pattern, sent, view.ids.listed))
        if message["SubscribedTopicRegex"] is not None or before is None or before.sent != sent:
            message["SubscribedTopicRegex"] = sent
            call.edited = True

    def _pattern(self, view: View, call: Call) -> str | None:
        """What the member is subscribed to by a pattern, with this heartbeat or before."""
        message = call.message
        told = message.get("SubscribedTopicRegex")
        if told is not None or "SubscribedTopicRegex" not in message:
            return told or None
        known = view.regexes.of(message["GroupId"], message["MemberId"])
        return None if known is None else known.pattern


class StreamsHeartbeat(Heartbeat):
    """A heartbeat of a Streams application, with its topology as it joins.

    A broker makes the internal topics of a topology that are not there: those must be the client's to make.
    """

    paths = _TOPOLOGY

    def lookup(self, view: View, call: Call) -> Message | None:
        """List the topics where patterns are matched here; else ask for those it may not make."""
        listed = _list_topics(view) if any(_patterns(call.message)) else None
        if listed is not None:
            return listed
        names = [view.to_cluster(Resource.TOPIC, name) for name in _not_creatable(view, call.message)]
        topics = [{"TopicId": NO_ID, "Name": name} for name in sorted(set(names))]
        return {"Topics": topics, "AllowAutoTopicCreation": False} if topics else None

    def admit(self, view: View, call: Call) -> Message | None:
        """Check the topics to be made, and put the patterns for the cluster into the topology."""
        refusal = super().admit(view, call)
        if refusal is not None:
            return refusal
        existing = call.existing or frozenset()
        for name in _not_creatable(view, call.message):
            if view.to_cluster(Resource.TOPIC, name) not in existing:
                return self.refuse(call, TOPIC_AUTHORIZATION_FAILED)
        return self._rewrite(view, call) if view.watches_topics else None

    def _rewrite(self, view: View, call: Call) -> Message | None:
        try:
            for subtopology in _subtopologies(call.message):
                patterns = subtopology["SourceTopicRegex"]
                subtopology["SourceTopicRegex"] = [to_cluster_pattern(view, one) for one in patterns]
                call.edited = call.edited or bool(patterns)
        except RegexError:
            return self.refuse(call, INVALID_REGULAR_EXPRESSION)
        return None


def to_cluster_pattern(view: View, pattern: str) -> str:
    """A client's pattern as the cluster is to have it; raises RegexError where it is none."""
    prefix = _plain_prefix(view)
    if prefix is not None:
        return prefixed(prefix, pattern) if prefix else pattern
    found = matching(pattern, view.visible_topics())
    return alternatives(view.to_cluster(Resource.TOPIC, name) for name in found)


def _plain_prefix(view: View) -> str | None:
    names = view.maps.get(Resource.TOPIC)
    if view.authorizers:
        return None
    return "" if names is None else names.prefix


def _list_topics(view: View) -> Message | None:
    if not view.watches_topics or _plain_prefix(view) is not None or view.ids.age() < _LISTED_FOR:
        return None
    return {"Topics": None, "AllowAutoTopicCreation": False}


def _subtopologies(message: Message) -> list[Any]:
    topology = message["Topology"]
    return [] if topology is None else topology["Subtopologies"]


def _patterns(message: Message) -> list[str]:
    return [pattern for one in _subtopologies(message) for pattern in one["SourceTopicRegex"]]


def _not_creatable(view: View, message: Message) -> list[str]:
    """The internal topics of a topology that the client may not make, by names that the cluster can have."""
    if not guards_creation(view):
        return []
    names = (name for path in _INTERNAL for name in names_at(message, path))
    return [
        name for name in names if not may_create(view, name) and not view.name_error(Resource.TOPIC, name)
    ]
