"""Topics made, extended and deleted: access, and the limits of topic policies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import (
    NONE,
    POLICY_VIOLATION,
    TOPIC_AUTHORIZATION_FAILED,
    UNKNOWN_TOPIC_OR_PARTITION,
)
from gateway_runtime.kafka.handler import Handler, ask_for_ids
from gateway_runtime.kafka.parts import ID, Parts
from gateway_runtime.kafka.topic_ids import NO_ID
from gateway_runtime.kafka.topic_policy import TopicPolicy
from gateway_runtime.kafka.view import View

_BY_ID: Final = 6
_CREATED: Final = Parts(
    Resource.TOPIC,
    Operation.CREATE,
    "Topics",
    "Name",
    "Topics",
    "Name",
    defaults={"NumPartitions": -1, "ReplicationFactor": -1},
)
_EXTENDED: Final = Parts(Resource.TOPIC, Operation.ALTER, "Topics", "Name", "Results", "Name")
_DELETED: Final = Parts(Resource.TOPIC, Operation.DELETE, "Topics", "Name", "Responses", "Name")
_DELETED_BY_NAME: Final = replace(_DELETED, at="TopicNames", name=None)


class CreateTopics(Handler):
    """Create on the cluster is enough for every topic."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Take out topics that are denied or against a policy."""
        if view.allows_cluster(Operation.CREATE):
            _take_out_illegal(view, call)
        else:
            _CREATED.take_out(view, call)
        _apply(view, call, _CREATED, _creation_problem)
        return _rest(call, _CREATED)

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Hide what the client may not know of a new topic, and answer for what was taken out."""
        for topic in response["Topics"] if view.authorizers else ():
            if not view.allows(Resource.TOPIC, topic["Name"], Operation.DESCRIBE_CONFIGS):
                _hide(topic)
                call.response_edited = True
        _CREATED.put_in(call, response)


class CreatePartitions(Handler):
    """Alter on each topic, and the limits of the policies."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Take out topics that are denied or against a policy."""
        _EXTENDED.take_out(view, call)
        _apply(view, call, _EXTENDED, lambda policy, topic: policy.partitions_problem(topic["Count"]))
        return _rest(call, _EXTENDED)

    def finish(self, _view: View, call: Call, response: Message) -> None:
        """Answer for what was taken out."""
        _EXTENDED.put_in(call, response)


class DeleteTopics(Handler):
    """By name or id; a topic that may be described at least is told apart from one that is not there."""

    def lookup(self, view: View, call: Call) -> Message | None:
        """Ask for the names of ids, or which of the topics are there that may be described alone."""
        if not view.watches_topics:
            return None
        if call.version < _BY_ID:
            return _ask_for_names(view, call.message["TopicNames"])
        parts = call.message["Topics"]
        by_id = ask_for_ids(view, [part for part in parts if part[ID] != NO_ID])
        return by_id or _ask_for_names(view, [part["Name"] for part in parts if part["Name"]])

    def admit(self, view: View, call: Call) -> Message | None:
        """Take out denied topics."""
        parts = _parts(call)
        parts.take_out(view, call)
        call.denied = [_told(view, call, part, code) for part, code in call.denied or ()]
        return _rest(call, parts)

    def finish(self, _view: View, call: Call, response: Message) -> None:
        """Answer for what was taken out."""
        _parts(call).put_in(call, response)


def _ask_for_names(view: View, names: list[str]) -> Message | None:
    topics = [
        {ID: NO_ID, "Name": view.to_cluster(Resource.TOPIC, name)}
        for name in names
        if view.error(Resource.TOPIC, name, Operation.DELETE) == TOPIC_AUTHORIZATION_FAILED
        and not view.error(Resource.TOPIC, name, Operation.DESCRIBE)
    ]
    return {"Topics": topics, "AllowAutoTopicCreation": False} if topics else None


def _told(view: View, call: Call, part: Any, code: int) -> tuple[Any, int]:
    """A denied topic, with what may be known of it."""
    name = part if isinstance(part, str) else part["Name"] or view.name_of(part[ID]) or ""
    if code != TOPIC_AUTHORIZATION_FAILED or view.error(Resource.TOPIC, name, Operation.DESCRIBE):
        return part, code
    if isinstance(part, dict) and part[ID] != NO_ID:
        return {**part, "Name": name}, code
    is_missing = call.existing is not None and view.to_cluster(Resource.TOPIC, name) not in call.existing
    return part, UNKNOWN_TOPIC_OR_PARTITION if is_missing else code


def _parts(call: Call) -> Parts:
    return _DELETED if call.version >= _BY_ID else _DELETED_BY_NAME


def _rest(call: Call, parts: Parts) -> Message | None:
    if not call.denied or call.message[parts.at]:
        return None
    response: Message = {}
    parts.put_in(call, response)
    return response


def _take_out_illegal(view: View, call: Call) -> None:
    kept, denied = [], []
    for topic in call.message["Topics"]:
        code = view.name_error(Resource.TOPIC, topic["Name"])
        if code:
            denied.append((topic, code))
        else:
            kept.append(topic)
    if denied:
        call.message["Topics"], call.denied, call.edited = kept, denied, True


def _apply(view: View, call: Call, parts: Parts, problem: Any) -> None:
    """Take out what is against a policy, with what is wrong beside it."""
    kept = []
    for part in call.message[parts.at]:
        told = next((text for one in view.rules.topic_policies if (text := problem(one, part))), None)
        if told is None:
            kept.append(part)
            continue
        part["_problem"] = told
        call.denied = [*(call.denied or ()), (part, POLICY_VIOLATION)]
        call.edited = True
    call.message[parts.at] = kept


def _creation_problem(policy: TopicPolicy, topic: Message) -> str | None:
    assigned = topic["Assignments"]
    count = len(assigned) if assigned else topic["NumPartitions"]
    factors = {len(one["BrokerIds"]) for one in assigned} or {topic["ReplicationFactor"]}
    problems = [policy.name_problem(topic["Name"]), policy.partitions_problem(count)]
    problems += [policy.replication_problem(factor) for factor in sorted(factors)]
    problems += [policy.config_problem(one["Name"], one["Value"]) for one in topic["Configs"]]
    return next(filter(None, problems), None)


def _hide(topic: Message) -> None:
    if topic["ErrorCode"] == NONE and "NumPartitions" in topic:
        topic["TopicConfigErrorCode"] = TOPIC_AUTHORIZATION_FAILED
        topic["NumPartitions"] = topic["ReplicationFactor"] = -1
        topic["Configs"] = []
