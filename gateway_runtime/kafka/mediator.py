"""Requests and responses of one authenticated client, between it and one broker, in their order.

A frame that nothing has to look into goes on as it came. What the gateway answers itself waits for its turn,
as responses come in the order of their requests; what it asks the broker for itself stands in the same row.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, cast

from gateway_runtime.kafka.addresses import OF_NEW_LEADERS, REWRITES, AddressBook
from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.versions import PRODUCE, Versions
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.frames import (
    Frame,
    RequestHeader,
    correlation_id_of,
    has_acks,
    read_response,
    request_frame,
    response_body,
    response_frame,
)
from gateway_runtime.protocols.kafka.messages import KEYS, Message, request_layout, response_layout
from gateway_runtime.stats import KafkaStats

if TYPE_CHECKING:
    from gateway_runtime.kafka._relay import Relay

try:
    from gateway_runtime.kafka._relay import Row
except ImportError:
    from gateway_runtime.kafka.row import Row

Pieces = Sequence[Frame]
Answered = Callable[[Message], None]
Question = tuple[int, int, Message]
"""Key, version and message of a request of the gateway's own."""

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

    def wait(self, work: Awaitable[None]) -> None:
        """Wait for something; then `proceed` is to be called with the request that waits."""
        ...


class Inspector(Protocol):
    """What looks into the messages of one session."""

    def asks(self, call: Call) -> Question | None:
        """What the cluster has to be asked before `request`: key, version and message; None: nothing."""
        ...

    def told(self, call: Call, question: Message, response: Message) -> None:
        """What the cluster says to what `asks` asked for a request."""
        ...

    def prepares(self, call: Call) -> Awaitable[None] | None:
        """What has to be waited for before `request`; None: nothing."""
        ...

    def request(self, call: Call) -> Message | None:
        """Make the request one of the cluster's, in place; or answer it."""
        ...

    def response(self, call: Call, response: Message) -> None:
        """Make the response one of the client's, in place."""
        ...

    def cost(self, received: int, sent: int, requests: int) -> int:
        """For how many milliseconds to hold the client back, after so many bytes and requests of it."""
        ...

    def settles(self, call: Call) -> bool:
        """Whether requests to the same topics need not be asked about in this session again."""
        ...

    @property
    def free(self) -> tuple[int, int] | None:
        """How many requests and bytes may pass between two calls of `cost`; None: any number."""
        ...


class _Awaited:
    """What is to be done with a response that is not passed on unread."""

    __slots__ = ("answered", "call", "pieces")

    def __init__(
        self, call: Call | None = None, pieces: Pieces | None = None, answered: Answered | None = None
    ) -> None:
        self.call = call
        """A client's request that was decoded."""
        self.pieces = pieces
        """The response itself, which the gateway has made and which waits for its turn."""
        self.answered = answered
        """Who takes the response to a request of the gateway's own."""


def _passed(key: int, version: int, size: int) -> Call:
    """A request that a relay has passed on."""
    call = Call(key, version, {})
    call.size = size
    return call


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
        self.row = Row()
        """Requests whose responses are awaited, with an `_Awaited` where they are not just passed on."""
        self._own_id = 0
        self.relay: Relay | None = None
        """What passes frames on that nothing has to look into (any more); it shares `row`."""

    def pay(self) -> None:
        """Count what has passed since, as nothing more comes."""
        if self._inspector is not None and self.relay is not None:
            requests, received, sent = self.relay.used()
            self._inspector.cost(received, sent, requests)

    @property
    def in_flight(self) -> int:
        """How many responses are awaited."""
        return len(self.row)

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
        if self._inspector is None:
            self._pass_on(header, frame)
            return None
        message = request_layout(header.key, header.version).decode_start(frame, header.body)
        call = Call(header.key, header.version, message)
        call.correlation_id, call.client_id, call.size = header.correlation_id, header.client_id, len(frame)
        return self.proceed(header, frame, call)

    def proceed(
        self, header: RequestHeader, frame: Frame, call: Call, is_asked: bool = False, is_ready: bool = False
    ) -> Call | None:
        """Go on with a request that is looked into, as `request` does.

        First the cluster is asked, then waited for what there is to wait for; then it goes on or is answered.
        """
        inspector = self._inspector
        assert inspector is not None
        if not is_asked and (question := inspector.asks(call)) is not None:
            self._ask_for(call, question, inspector)
            return call
        if not is_ready and (work := inspector.prepares(call)) is not None:
            self._link.wait(work)
            return call
        answer = inspector.request(call)
        if answer is not None:
            self._answer_call(call, answer)
        else:
            self._forward(header, request_frame(header, call.message) if call.edited else [frame], call)
        if call.closes:
            raise KafkaFormatError("the client may not do what no response would tell it")
        return None

    def _ask_for(self, call: Call, question: Question, inspector: Inspector) -> None:
        key, version, message = question

        def told(response: Message) -> None:
            inspector.told(call, message, response)
            self._link.told()

        self.ask(key, version, message, told)

    def _answer_call(self, call: Call, answer: Message) -> None:
        mute = self._cost(call, 0)
        if call.key == PRODUCE and call.message["Acks"] == 0:
            return
        if mute > 0:
            answer[THROTTLE] = mute
        self.answer(call.key, call.version, call.correlation_id, answer)

    def _cost(self, call: Call, sent: int) -> int:
        """Count what a client has had, and hold it back where that is too much."""
        inspector = self._inspector
        if inspector is None:
            return 0
        requests, received, passed = (0, 0, 0) if self.relay is None else self.relay.used()
        mute = inspector.cost(received + call.size, passed + sent, requests + 1)
        if mute > 0:
            self._stats.throttled_ms += mute
            self._link.mute(mute)
        return mute

    def _pass_on(self, header: RequestHeader, frame: Frame) -> None:
        """Forward a request that nothing looks into."""
        self._link.to_cluster([frame])
        if header.key != PRODUCE or has_acks(frame, header):
            self.row.push(header.key, header.version, header.correlation_id)

    def _forward(self, header: RequestHeader, pieces: Pieces, call: Call) -> None:
        self._link.to_cluster(pieces)
        if self.relay is not None and self._inspector is not None and self._inspector.settles(call):
            for topic in call.message["TopicData"]:
                self.relay.know(topic["TopicId"])
        if call.key == PRODUCE and call.message["Acks"] == 0:
            self._cost(call, 0)  # no response comes
            return
        self.row.push(header.key, header.version, header.correlation_id, _Awaited(call=call))

    def answer(self, key: int, version: int, correlation_id: int, message: Message) -> None:
        """Answer a request in the cluster's place, behind what was asked before."""
        pieces = response_frame(key, version, correlation_id, message)
        if len(self.row):
            self.row.push(key, version, correlation_id, _Awaited(pieces=pieces))
        else:
            self._link.to_client(pieces)

    # -- of the gateway itself

    def ask(self, key: int, version: int, message: Message, answered: Answered) -> None:
        """Ask the broker in the gateway's own name."""
        self._own_id -= 1
        header = RequestHeader(key, version, self._own_id, "penstock", 0)
        self.row.push(key, version, self._own_id, _Awaited(answered=answered))
        self._link.to_cluster(request_frame(header, message))

    # -- from the broker

    def response(self, frame: Frame) -> None:
        """Take the next response. Raises KafkaFormatError for one that nobody awaits, or is none."""
        row = self.row
        if not len(row):
            raise KafkaFormatError("a response without a request")
        key, version, correlation_id, what, size = row.pop()
        if correlation_id_of(frame) != correlation_id:
            raise KafkaFormatError("a response to another request")
        awaited = cast("_Awaited | None", what)
        if awaited is None:
            call = None if self._inspector is None else _passed(key, version, size)
            self._respond(key, version, correlation_id, call, frame)
        elif awaited.answered is not None:
            awaited.answered(read_response(frame, key, version))
        else:
            self._respond(key, version, correlation_id, awaited.call, frame)
        while (first := cast("_Awaited | None", row.first())) is not None and first.pieces is not None:
            row.pop()
            self._link.to_client(first.pieces)

    def _has_addresses(self, frame: Frame, key: int, version: int) -> bool:
        """Whether a response that may have addresses has to be read for them."""
        if key not in OF_NEW_LEADERS:
            return True
        return response_layout(key, version).has_tags(frame, response_body(frame, key, version))

    def _respond(self, key: int, version: int, correlation_id: int, call: Call | None, frame: Frame) -> None:
        self._stats.response_bytes += len(frame)
        rewrite = REWRITES.get(key)
        if call is None and (rewrite is None or not self._has_addresses(frame, key, version)):
            self._link.to_client([frame])
            return
        message = read_response(frame, key, version)
        is_edited = False
        if self._inspector is not None and call is not None:
            self._inspector.response(call, message)
            mute = self._cost(call, len(frame))
            is_edited = call.response_edited
            if mute > 0:
                is_edited = True
                message[THROTTLE] = max(mute, message.get(THROTTLE, 0))
        if rewrite is not None:
            is_edited = rewrite(message, self._book) or is_edited
        self._link.to_client(response_frame(key, version, correlation_id, message) if is_edited else [frame])
