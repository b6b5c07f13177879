"""Committed offsets of groups: their topics, or all that are visible where a request names none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import MESSAGES
from gateway_runtime.kafka.handler import Handler, Need, ask_for_ids
from gateway_runtime.kafka.parts import ID, Parts
from gateway_runtime.kafka.view import View

_DESCRIBE_GROUP: Final = Need(Resource.GROUP, Operation.DESCRIBE, "GroupId")
_TOP_LEVEL_ERROR: Final = 2
"""The first version of OffsetFetch whose response has an error code of its own."""

OFFSETS: Final = Parts(
    Resource.TOPIC,
    Operation.DESCRIBE,
    "Topics",
    "Name",
    "Topics",
    "Name",
    inner="PartitionIndexes",
    index=None,
    defaults={"CommittedOffset": -1, "CommittedLeaderEpoch": -1, "Metadata": ""},
)
SHARE_OFFSETS: Final = Parts(
    Resource.TOPIC,
    Operation.DESCRIBE,
    "Topics",
    "TopicName",
    "Topics",
    "TopicName",
    inner="Partitions",
    index=None,
    defaults={"StartOffset": -1},
)


@dataclass(slots=True)
class _Asked:
    """What one group's answer must be completed with."""

    denied: list[tuple[Any, int]]
    is_all: bool


@dataclass(frozen=True, slots=True)
class GroupOffsets(Handler):
    """Offsets of many groups, each with its topics."""

    parts: Parts

    def lookup(self, view: View, call: Call) -> Message | None:
        """Ask for the names of topics that are given by ids."""
        if not view.watches_topics:
            return None
        return ask_for_ids(view, [topic for group in _groups(call) for topic in group["Topics"] or ()])

    def admit(self, view: View, call: Call) -> Message | None:
        """Take denied groups out, and denied topics of the others."""
        denied = []
        kept = []
        asked: dict[str, _Asked] = {}
        for group in _groups(call):
            code = _DESCRIBE_GROUP.error(view, group)
            if code:
                denied.append((group["GroupId"], code))
                continue
            kept.append(group)
            found = self.parts.split(view, group)
            asked[group["GroupId"]] = _Asked(found, group["Topics"] is None)
            call.edited = call.edited or bool(found)
        call.notes = asked
        if denied:
            call.denied, call.edited = denied, True
            call.message["Groups"] = kept
        return None if kept or not denied else {"Groups": [_refused(*one) for one in denied]}

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Complete each group's answer, and answer for denied groups."""
        for group in response["Groups"]:
            one = call.notes.get(group["GroupId"])
            if one is not None:
                _complete(self.parts, view, call, group, one)
        if call.denied:
            response["Groups"] = [*response["Groups"], *(_refused(*one) for one in call.denied)]
            call.response_edited = True


class OffsetFetch(GroupOffsets):
    """OffsetFetch, whose older versions are for one group."""

    _MANY: Final = 8

    def lookup(self, view: View, call: Call) -> Message | None:
        """Older versions know no ids."""
        return super().lookup(view, call) if call.version >= self._MANY else None

    def admit(self, view: View, call: Call) -> Message | None:
        """Check one group, or many."""
        if call.version >= self._MANY:
            return super().admit(view, call)
        code = _DESCRIBE_GROUP.error(view, call.message)
        if code:
            return self._refuse_group(call, code)
        is_all = call.message["Topics"] is None
        found = self.parts.split(view, call.message)
        call.edited = call.edited or bool(found)
        call.notes = _Asked(found, is_all)
        return None

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Complete the answer of one group, or of many."""
        if call.version >= self._MANY:
            super().finish(view, call, response)
        else:
            _complete(self.parts, view, call, response, call.notes)

    def _refuse_group(self, call: Call, code: int) -> Message:
        if call.version >= _TOP_LEVEL_ERROR:
            return {"ErrorCode": code}
        return {"Topics": [self.parts.answer(topic, code) for topic in call.message["Topics"]]}


def _groups(call: Call) -> list[Any]:
    groups: list[Any] = call.message["Groups"]
    return groups


def _refused(group: str, code: int) -> Message:
    return {"GroupId": group, "ErrorCode": code, "ErrorMessage": MESSAGES[code]}


def _complete(parts: Parts, view: View, call: Call, holder: Message, asked: _Asked) -> None:
    if asked.is_all and view.authorizers:
        holder["Topics"] = [topic for topic in holder["Topics"] if _is_visible(parts, view, topic)]
        call.response_edited = True
    if asked.denied and not holder.get("ErrorCode"):
        parts.merge(holder, asked.denied)
        call.response_edited = True


def _is_visible(parts: Parts, view: View, topic: Message) -> bool:
    name = topic.get(parts.to_name) or view.name_of(topic[ID])
    return name is not None and not view.error(Resource.TOPIC, name, parts.operation)
