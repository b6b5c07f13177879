"""Requests and responses of one authenticated client, between it and one broker, in their order.

A frame that nothing has to look into goes on as it came. What the gateway answers itself waits for its turn,
as responses come in the order of their requests; what it asks the broker for itself stands in the same row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from gateway_runtime.kafka.addresses import REWRITES, AddressBook
from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.versions import PRODUCE, Versions
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.frames import (
    Frame,
    RequestHeader,
    correlation_id_of,
    read_response,
    request_frame,
    response_frame,
)
from gateway_runtime.protocols.kafka.messages import KEYS, Message, request_layout
from gateway_runtime.stats import KafkaStats

Pieces = Sequence[Frame]
Answered = Callable[[Message], None]

THROTTLE: Final = "ThrottleTimeMs"


class Link(Protocol):
    """The two connections that a mediator stands between."""

    def to_client(self, pieces: Pieces) -> None:
        """Send a frame to the client."""
        ...

    def to_cluster(self, pieces: Pieces) -> None:
        """Send a frame to the broker."""
        ...

    def mute(self, milliseconds: int) -> None:
        """Read from the client no more for so long."""
        ...

    def told(self) -> None:
        """The cluster has answered what a request waits for: `proceed` is to be called with it."""
        ...


class Inspector(Protocol):
    """What looks into the messages of one session."""

    def asks(self, call: Call) -> tuple[int, int, Message] | None:
        """What the cluster has to be asked before `request`: key, version and message; None: nothing."""
        ...

    def told(self, call: Call, question: Message, response: Message) -> None:
        """What the cluster says to what `asks` asked for a request."""
        ...

    def request(self, call: Call, size: int) -> Message | None:
        """Make the request one of the cluster's, in place; or answer it."""
        ...

    def response(self, call: Call, response: Message, size: int) -> int:
        """Make the response one of the client's, in place; answers for how many milliseconds to mute it."""
        ...


class _Pending:
    """A request whose response is awaited: a client's (`call` where it was decoded), or the gateway's own."""

    __slots__ = ("answered", "call", "correlation_id", "key", "pieces", "version")

    def __init__(self, key: int, version: int, correlation_id: int) -> None:
        self.key = key
        self.version = version
        self.correlation_id = correlation_id
        self.call: Call | None = None
        self.pieces: Pieces | None = None
        self.answered: Answered | None = None


class Mediator:
    """One client and one broker. `inspector` is None where only addresses change."""

    def __init__(
        self,
        link: Link,
        versions: Versions,
        book: AddressBook,
        inspector: Inspector | None,
        stats: KafkaStats,
    ) -> None:
        self._stats = stats
        self._link = link
        self._versions = versions
        self._book = book
        self._inspector = inspector
        self._pending: deque[_Pending] = deque()
        self._own_id = 0

    @property
    def in_flight(self) -> int:
        """How many responses are awaited."""
        return len(self._pending)

    # -- from the client

    def request(self, header: RequestHeader, frame: Frame) -> Call | None:
        """Take a request; one that is answered back waits for `Link.told`.

        Raises KafkaFormatError for a request that clients were not offered, is none, or ends the connection.
        """
        self._stats.requests += 1
        self._stats.request_bytes += len(frame)
        versions = self._versions.get(header.key)
        if versions is None or not versions[0] <= header.version <= versions[1]:
            name = KEYS[header.key].name if header.key in KEYS else f"API key {header.key}"
            raise KafkaFormatError(f"{name} version {header.version} was not offered")
        if self._inspector is None and header.key != PRODUCE:
            self._forward(header, [frame])
            return None
        message = request_layout(header.key, header.version).decode(frame, header.body)
        call = Call(header.key, header.version, message)
        call.correlation_id, call.client_id = header.correlation_id, header.client_id
        if self._inspector is None:
            self._forward(header, [frame], call)
            return None
        return self.proceed(header, frame, call)

    def proceed(self, header: RequestHeader, frame: Frame, call: Call, is_asked: bool = False) -> Call | None:
        """Go on with a request that is looked into, as `request` does: ask, then forward or answer it."""
        inspector = self._inspector
        assert inspector is not None
        question = None if is_asked else inspector.asks(call)
        if question is not None:
            key, version, message = question

            def told(response: Message) -> None:
                inspector.told(call, message, response)
                self._link.told()

            self.ask(key, version, message, told)
            return call
        answer = inspector.request(call, len(frame))
        if answer is not None:
            self._answer_call(call, answer)
        elif call.edited:
            self._forward(header, request_frame(header, call.message), call)
        else:
            self._forward(header, [frame], call)
        if call.closes:
            raise KafkaFormatError("the client may not do what no response would tell it")
        return None

    def _answer_call(self, call: Call, answer: Message) -> None:
        if call.key == PRODUCE and call.message["Acks"] == 0:
            return
        self.answer(call.key, call.version, call.correlation_id, answer)

    def _forward(self, header: RequestHeader, pieces: Pieces, call: Call | None = None) -> None:
        self._link.to_cluster(pieces)
        if call is not None and call.key == PRODUCE and call.message["Acks"] == 0:
            return  # no response comes
        pending = _Pending(header.key, header.version, header.correlation_id)
        pending.call = call
        self._pending.append(pending)

    def answer(self, key: int, version: int, correlation_id: int, message: Message) -> None:
        """Answer a request in the cluster's place, behind what was asked before."""
        pieces = response_frame(key, version, correlation_id, message)
        if not self._pending:
            self._link.to_client(pieces)
            return
        pending = _Pending(key, version, correlation_id)
        pending.pieces = pieces
        self._pending.append(pending)

    # -- of the gateway itself

    def ask(self, key: int, version: int, message: Message, answered: Answered) -> None:
        """Ask the broker in the gateway's own name."""
        self._own_id -= 1
        header = RequestHeader(key, version, self._own_id, "penstock", 0)
        pending = _Pending(key, version, self._own_id)
        pending.answered = answered
        self._pending.append(pending)
        self._link.to_cluster(request_frame(header, message))

    # -- from the broker

    def response(self, frame: Frame) -> None:
        """Take the next response. Raises KafkaFormatError for one that nobody awaits, or is none."""
        if not self._pending:
            raise KafkaFormatError("a response without a request")
        pending = self._pending.popleft()
        if correlation_id_of(frame) != pending.correlation_id:
            raise KafkaFormatError("a response to another request")
        if pending.answered is not None:
            pending.answered(read_response(frame, pending.key, pending.version))
        else:
            self._respond(pending, frame)
        while self._pending and (ready := self._pending[0].pieces) is not None:
            self._pending.popleft()
            self._link.to_client(ready)

    def _respond(self, pending: _Pending, frame: Frame) -> None:
        self._stats.response_bytes += len(frame)
        key, version, call = pending.key, pending.version, pending.call
        rewrite = REWRITES.get(key)
        is_inspected = self._inspector is not None and call is not None
        if rewrite is None and not is_inspected:
            self._link.to_client([frame])
            return
        message = read_response(frame, key, version)
        mute, is_edited = 0, False
        if self._inspector is not None and call is not None:
            mute = self._inspector.response(call, message, len(frame))
            is_edited = call.response_edited
        if rewrite is not None:
            is_edited = rewrite(message, self._book) or is_edited
        if mute > 0:
            is_edited = True
            message[THROTTLE] = max(mute, message.get(THROTTLE, 0))
        self._link.to_client(
            response_frame(key, version, pending.correlation_id, message) if is_edited else [frame]
        )
        if mute > 0:
            self._stats.throttled_ms += mute
            self._link.mute(mute)
