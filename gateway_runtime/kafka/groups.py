"""Groups: membership, whose bytes hold topic names, lists, and descriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import TOPIC_AUTHORIZATION_FAILED
from gateway_runtime.kafka.handler import Handler, Need, Row
from gateway_runtime.kafka.member_bytes import CONSUMER, map_assignment, map_subscription
from gateway_runtime.kafka.names import IllegalName
from gateway_runtime.kafka.parts import Parts
from gateway_runtime.kafka.regexes import unprefixed
from gateway_runtime.kafka.view import View
from gateway_runtime.kafka.walk import Change, names_at

READ_GROUP: Final = Need(Resource.GROUP, Operation.READ, "GroupId")
_HIDDEN: Final = "The described group uses topics that the client is not authorized to describe."


class JoinGroup(Row):
    """Maps the topics of subscriptions: the leader gets those of all members."""

    def to_cluster(self, view: View, call: Call) -> None:
        """Map the group, and the subscriptions of a consumer."""
        message = call.message
        view.keep_protocol_type(message["GroupId"], message["ProtocolType"])
        call.notes = message["ProtocolType"] == CONSUMER and Resource.TOPIC in view.maps
        if call.notes:
            for protocol in message["Protocols"]:
                protocol["Metadata"] = map_subscription(protocol["Metadata"], _forward(view))
            call.edited = True
        super().to_cluster(view, call)

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the subscriptions back."""
        super().to_client(view, call, response)
        if call.notes:
            for member in response["Members"]:
                member["Metadata"] = map_subscription(member["Metadata"], _backward(view))
            call.response_edited = True


class SyncGroup(Row):
    """Maps the topics of assignments: the leader gives those of all members."""

    def to_cluster(self, view: View, call: Call) -> None:
        """Map the group, and the assignments of consumers."""
        message = call.message
        type_ = message.get("ProtocolType") or view.protocol_type(message["GroupId"])
        call.notes = type_ == CONSUMER and Resource.TOPIC in view.maps
        if call.notes:
            for member in message["Assignments"]:
                member["Assignment"] = map_assignment(member["Assignment"], _forward(view))
            call.edited = True
        super().to_cluster(view, call)

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the assignment back."""
        super().to_client(view, call, response)
        if call.notes:
            response["Assignment"] = map_assignment(response["Assignment"], _backward(view))
            call.response_edited = True


class DescribeGroups(Row):
    """Classic groups, with what their members exchanged."""

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the groups, and the bytes of consumers, back."""
        super().to_client(view, call, response)
        if Resource.TOPIC not in view.maps:
            return
        call.response_edited = True
        for group in response["Groups"]:
            for member in group["Members"] if group["ProtocolType"] == CONSUMER else ():
                member["MemberMetadata"] = map_subscription(member["MemberMetadata"], _backward(view))
                member["MemberAssignment"] = map_assignment(member["MemberAssignment"], _backward(view))

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Tell what may be done, and answer for what was taken out."""
        _tell_operations(view, call, response)
        super().finish(view, call, response)


class DescribeNewGroups(Row):
    """Groups whose broker assigns (KIP-848, KIP-932, KIP-1071); one with a hidden topic is denied."""

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map names and patterns back."""
        super().to_client(view, call, response)
        if Resource.TOPIC not in view.maps:
            return
        for group in response["Groups"]:
            for member in group["Members"]:
                if member.get("SubscribedTopicRegex"):
                    member["SubscribedTopicRegex"] = _pattern(view, member["SubscribedTopicRegex"])

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Deny groups with hidden topics, tell what may be done, and answer for what was taken out."""
        if view.authorizers:
            response["Groups"] = [_described(view, call, group) for group in response["Groups"]]
            call.response_edited = True
        _tell_operations(view, call, response)
        super().finish(view, call, response)


class ListGroups(Handler):
    """Groups that may not be described are not listed, unless the cluster may be."""

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Filter the list."""
        if view.authorizers and not view.allows_cluster(Operation.DESCRIBE):
            response["Groups"] = [
                group
                for group in response["Groups"]
                if view.allows(Resource.GROUP, group["GroupId"], Operation.DESCRIBE)
            ]
            call.response_edited = True


def groups_to_describe(at: str) -> Parts:
    """Groups that a request describes one by one."""
    return Parts(Resource.GROUP, Operation.DESCRIBE, at, None, "Groups", "GroupId")


def _forward(view: View) -> Change:
    def change(name: str) -> str | None:
        try:
            return view.to_cluster(Resource.TOPIC, name)
        except IllegalName:
            return None  # a topic that cannot be is never assigned

    return change


def _backward(view: View) -> Callable[[str], str | None]:
    return view.maps[Resource.TOPIC].to_client


def _tell_operations(view: View, call: Call, response: Message) -> None:
    if not view.authorizers:
        return
    for group in response["Groups"]:
        if "AuthorizedOperations" in group:
            told = group["AuthorizedOperations"]
            group["AuthorizedOperations"] = view.operations(Resource.GROUP, group["GroupId"], told)
    call.response_edited = True


_TOPICS_OF_GROUP: Final = (
    ("Members", "SubscribedTopicNames"),
    ("Members", "Assignment", "TopicPartitions", "TopicName"),
    ("Members", "TargetAssignment", "TopicPartitions", "TopicName"),
    ("Topology", "Subtopologies", "SourceTopics"),
    ("Topology", "Subtopologies", "RepartitionSinkTopics"),
    ("Topology", "Subtopologies", "RepartitionSourceTopics", "Name"),
    ("Topology", "Subtopologies", "StateChangelogTopics", "Name"),
)


def _described(view: View, call: Call, group: Message) -> Message:
    names: set[Any] = {name for path in _TOPICS_OF_GROUP for name in names_at(group, path)}
    if all(view.allows(Resource.TOPIC, name, Operation.DESCRIBE) for name in names):
        return group
    call.response_edited = True
    return {
        "GroupId": group["GroupId"],
        "ErrorCode": TOPIC_AUTHORIZATION_FAILED,
        "ErrorMessage": _HIDDEN,
    }


def _pattern(view: View, sent: str) -> str:
    """The pattern that a client sent for one of the cluster; empty where it is not known: it holds names."""
    prefix = view.maps[Resource.TOPIC].prefix
    told = None if prefix is None else unprefixed(prefix, sent)
    return told or view.regexes.pattern_of(sent) or ""
