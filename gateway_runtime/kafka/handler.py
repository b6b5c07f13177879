"""What is done with the messages of one API key; most by a row of a table, the others by their own code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import MESSAGES, NONE
from gateway_runtime.kafka.parts import ID, Parts
from gateway_runtime.kafka.view import DENIED, KINDS, View
from gateway_runtime.kafka.walk import change_names, change_texts, names_at
from gateway_runtime.protocols.kafka.messages import entities

LONGEST_LOOKUP: Final = 10_000
"""Topic ids of one request that are asked for at once; the others are unknown."""


@dataclass(frozen=True, slots=True)
class Need:
    """What the whole request needs; `field` has the name, none for the cluster. A null name needs nothing."""

    resource: Resource
    operation: Operation
    field: str = ""

    def error(self, view: View, message: Message) -> int:
        """The error code where it is not allowed; else 0."""
        if self.resource is Resource.CLUSTER:
            return NONE if view.allows_cluster(self.operation) else DENIED[self.resource]
        name = message.get(self.field)
        return NONE if name is None else view.error(self.resource, name, self.operation)


class Handler:
    """Lets everything pass, with the names that Kafka's annotations show mapped."""

    def lookup(self, _view: View, _call: Call) -> Message | None:
        """What the cluster is to be asked before: a request to Metadata, in the cluster's names."""
        return None

    def admit(self, view: View, call: Call) -> Message | None:
        """Take out what the client may not; a response where nothing is left to forward."""
        return self.refuse_illegal(view, call, frozenset())

    def to_cluster(self, view: View, call: Call) -> None:
        """Put the cluster's names into the request."""
        for path, change in view.paths(call.key, call.version, True):
            change_names(call.message, path, change)
            call.edited = True

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Put the client's names into the response; what it cannot see goes."""
        for path, change in view.paths(call.key, call.version, False):
            change_names(response, path, change)
            call.response_edited = True
        self.change_texts(view, call, response)

    def change_texts(self, view: View, call: Call, response: Message) -> None:
        """Put the client's names into texts for people: those of the request, which is the cluster's now."""
        names = {
            name: client
            for kind, path in view.named(call.key, call.version)
            for name in names_at(call.message, path)
            if (client := view.to_client(kind, name)) is not None
        }
        if names:
            change_texts(response, names)
            call.response_edited = True

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Add what was taken out of the request to the response."""

    def refuse(self, _call: Call, code: int) -> Message:
        """The response that refuses the whole request."""
        return {"ErrorCode": code, "ErrorMessage": MESSAGES.get(code)}

    def refuse_illegal(self, view: View, call: Call, checked: frozenset[str]) -> Message | None:
        """Refuse a request with a name that the cluster cannot have, in a field that was not checked."""
        if not view.maps:
            return None
        for entity in entities(call.key, call.version, True):
            resource = KINDS.get(entity.kind)
            if resource is None or resource not in view.maps or entity.path[0] in checked:
                continue
            for name in names_at(call.message, entity.path):
                code = view.name_error(resource, name)
                if code:
                    return self.refuse(call, code)
        return None


@dataclass(frozen=True, slots=True)
class Row(Handler):
    """Needs of the whole request, and its parts; `refuses_parts` where a refusal is told part by part.

    `defaults` are fields of a refusal of the whole. A request `goes_empty` where the broker has something to
    say of it even if nothing is left of its parts.
    """

    needs: tuple[Need, ...] = ()
    parts: Parts | None = None
    refuses_parts: bool = False
    goes_empty: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def lookup(self, view: View, call: Call) -> Message | None:
        """Ask for the names of topics that are given by ids alone."""
        if self.parts is None or not view.watches_topics:
            return None
        return ask_for_ids(view, call.message.get(self.parts.at) or ())

    def admit(self, view: View, call: Call) -> Message | None:
        """Check the needs, then each part."""
        for need in self.needs:
            code = need.error(view, call.message)
            if code:
                return self.refuse(call, code)
        if self.parts is not None:
            self.parts.take_out(view, call)
            if call.denied and not call.message[self.parts.at] and not self.goes_empty:
                response: Message = {}
                self.parts.put_in(call, response)
                return response
        return self.refuse_illegal(view, call, self._checked)

    def finish(self, view: View, call: Call, response: Message) -> None:
        """Answer for the parts that were taken out, unless the broker refuses the whole."""
        if self.parts is not None and not response.get("ErrorCode"):
            self.parts.put_in(call, response)

    def refuse(self, call: Call, code: int) -> Message:
        """Refuse the whole request, where it must be so part by part."""
        refusal = {"ErrorCode": code, "ErrorMessage": MESSAGES.get(code), **self.defaults}
        if self.refuses_parts and self.parts is not None:
            parts = call.message.get(self.parts.at) or ()
            refusal[self.parts.to] = [self.parts.answer(part, code) for part in parts]
        return refusal

    @property
    def _checked(self) -> frozenset[str]:
        return _checked_fields(self.needs, self.parts)


@cache
def _checked_by(fields: tuple[str, ...]) -> frozenset[str]:
    return frozenset(fields)


def _checked_fields(needs: tuple[Need, ...], parts: Parts | None) -> frozenset[str]:
    return _checked_by((*(need.field for need in needs), *((parts.at,) if parts else ())))


def ask_for_ids(view: View, parts: Any) -> Message | None:
    """A request to Metadata for the topics of parts that are given by an id that is not known."""
    wanted = {
        part[ID] for part in parts if isinstance(part, dict) and ID in part and view.ids.is_to_ask(part[ID])
    }
    return metadata_of_ids(wanted)


def metadata_of_ids(wanted: set[bytes]) -> Message | None:
    """A request to Metadata for topics by their ids."""
    if not wanted:
        return None
    topics = [{ID: topic_id, "Name": None} for topic_id in sorted(wanted)[:LONGEST_LOOKUP]]
    return {"Topics": topics, "AllowAutoTopicCreation": False}
