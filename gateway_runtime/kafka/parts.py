"""The parts of a request that are named one by one: taken out where denied, answered for in the response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import MESSAGES
from gateway_runtime.kafka.topic_ids import NO_ID
from gateway_runtime.kafka.view import View

ID = "TopicId"


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a request names things, and what an answer for one of them looks like.

    `at` is the request's array and `name` the field of its elements (None: they are strings); `to` and
    `to_name` are those of the response. With `inner` and `index` a part has partitions, each with its own
    error: `index` None where they are numbers alone.
    """

    resource: Resource
    operation: Operation
    at: str
    name: str | None
    to: str
    to_name: str
    inner: str | None = None
    index: str | None = "PartitionIndex"
    to_inner: str = "Partitions"
    to_index: str = "PartitionIndex"
    error: str = "ErrorCode"
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def take_out(self, view: View, call: Call) -> None:
        """Move what is not allowed, or has no legal name, from the request to `call.denied`."""
        denied = self.split(view, call.message)
        if denied:
            call.denied = [*(call.denied or ()), *denied]
            call.edited = True

    def split(self, view: View, holder: Message) -> list[tuple[Any, int]]:
        """Take what is not allowed out of a struct that holds parts; answers it, with error codes."""
        kept, denied = [], []
        for part in holder.get(self.at) or ():
            code = self.check(view, part)
            if code:
                denied.append((part, code))
            else:
                kept.append(part)
        if denied:
            holder[self.at] = kept
        return denied

    def check(self, view: View, part: Any) -> int:
        """The error code of a part; 0 where it may go on."""
        name = part if self.name is None else part.get(self.name)
        if name is None and isinstance(part, dict) and part.get(ID, NO_ID) != NO_ID:
            return view.id_error(part[ID], self.operation)
        return view.error(self.resource, name or "", self.operation)

    def put_in(self, call: Call, response: Message) -> None:
        """Answer for what was taken out."""
        if call.denied:
            self.merge(response, call.denied)
            call.response_edited = True

    def merge(self, holder: Message, denied: list[tuple[Any, int]]) -> None:
        """Answer for denied parts in the response's struct for them."""
        holder[self.to] = [*(holder.get(self.to) or ()), *(self.answer(part, code) for part, code in denied)]

    def answer(self, part: Any, code: int) -> Message:
        """What a response says of one part that was denied."""
        if self.name is None:
            told = {self.to_name: part}
        else:
            told = {self.to_name: part.get(self.name), ID: part.get(ID, NO_ID)}
        if self.inner is None:
            return told | self._refusal(code) | _told(part)
        partitions = [
            {self.to_index: one if self.index is None else one[self.index], **self._refusal(code)}
            for one in part.get(self.inner) or ()
        ]
        return told | {self.to_inner: partitions}

    def _refusal(self, code: int) -> Message:
        return {self.error: code, "ErrorMessage": MESSAGES.get(code), **self.defaults}


PROBLEM = "_problem"
"""Where a part says what is wrong with it, in place of the text of its error code."""


def _told(part: Any) -> Message:
    text = part.get(PROBLEM) if isinstance(part, dict) else None
    return {} if text is None else {"ErrorMessage": text}
