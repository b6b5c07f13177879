"""What a relay passes on is what the mediator would have passed on: one dialogue with it, and one without."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mediated import ALL, address_book, request_bytes, response_bytes

from gateway_runtime.kafka._relay import Relay
from gateway_runtime.kafka._relay import Row as RowInC
from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.mediator import Inspector, Mediator, Pieces
from gateway_runtime.kafka.passing import relay
from gateway_runtime.kafka.row import Row
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.frames import (
    read_request_header,
)
from gateway_runtime.protocols.kafka.messages import KEYS, Message
from gateway_runtime.stats import KafkaStats

PRODUCE, FETCH, METADATA, HEARTBEAT, API_VERSIONS = 0, 1, 3, 12, 18
TOPIC, OTHER = b"t" * 16, b"o" * 16
RECORDS = memoryview(b"records" * 9)


class Wire:
    """Keeps what is sent to either side."""

    def __init__(self) -> None:
        self.client = b""
        self.cluster = b""

    def to_client(self, pieces: Pieces) -> None:
        self.client += b"".join(pieces)

    def to_cluster(self, pieces: Pieces) -> None:
        self.cluster += b"".join(pieces)

    def mute(self, milliseconds: int) -> None:
        raise AssertionError(milliseconds)

    def told(self) -> None:
        raise AssertionError

    def wait(self, work: Awaitable[None]) -> None:
        raise AssertionError(work)


class Looking:
    """An inspector that lets all pass, notes it, and settles what is sent to one topic."""

    def __init__(self, free: tuple[int, int] | None = None) -> None:
        self.free = free
        self.seen: list[int] = []
        self.paid: list[tuple[int, int, int]] = []

    def asks(self, _call: Call) -> None:
        return None

    def told(self, call: Call, question: Message, response: Message) -> None:
        raise AssertionError(call, question, response)

    def prepares(self, _call: Call) -> None:
        return None

    def request(self, call: Call) -> None:
        self.seen.append(call.key)

    def response(self, call: Call, response: Message) -> None:
        """Nothing."""

    def cost(self, received: int, sent: int, requests: int) -> int:
        self.paid.append((received, sent, requests))
        return 0

    def settles(self, call: Call) -> bool:
        return call.key == PRODUCE and call.message["TransactionalId"] is None


class Dialogue:
    """A mediator, and before it a relay where there is one."""

    def __init__(self, inspector: Inspector | None = None, has_relay: bool = True, most: int = 100) -> None:
        self.wire, self.stats = Wire(), KafkaStats()
        self.mediator = Mediator(self.wire, ALL, address_book(), inspector, self.stats)
        self.relay: Relay | None = None
        if has_relay:
            made = relay(self.mediator.row, ALL)
            assert made is not None
            made.limit(1 << 20, most)
            made.is_open = True
            self.relay = self.mediator.relay = made
            if inspector is not None:
                made.inspect(inspector.free)

    def request(self, data: bytes) -> int:
        """Take whole requests; answers how many bytes the relay has passed."""
        passed = 0 if self.relay is None else self.relay.take_requests(data)
        self.wire.cluster += data[:passed]
        for frame in _frames(data[passed:]):
            self.mediator.request(read_request_header(frame), frame)
        return passed

    def response(self, data: bytes) -> int:
        """Take whole responses; answers how many bytes the relay has passed."""
        passed = 0 if self.relay is None else self.relay.take_responses(data)
        self.wire.client += data[:passed]
        for frame in _frames(data[passed:]):
            self.mediator.response(frame)
        return passed

    def counted(self) -> tuple[int, int, int]:
        if self.relay is not None:
            self.stats.collect(self.relay)
        return self.stats.requests, self.stats.request_bytes, self.stats.response_bytes


def _frames(data: bytes) -> Iterator[bytes]:
    while data:
        size = 4 + int.from_bytes(data[:4], "big")
        yield data[:size]
        data = data[size:]


def _produce(version: int = 13, topics: Sequence[bytes] = (TOPIC,), acks: int = 1, number: int = 1) -> bytes:
    partitions = [{"Index": 0, "Records": RECORDS}, {"Index": 3, "Records": RECORDS}]
    data = [{"Name": "t", "TopicId": topic, "PartitionData": partitions} for topic in topics]
    return request_bytes(PRODUCE, version, {"Acks": acks, "TimeoutMs": 1, "TopicData": data}, number)


def _produced(code: int = 0, number: int = 1, version: int = 13, **more: Any) -> bytes:
    partitions = [{"Index": 0, "ErrorCode": code, "BaseOffset": 7}, {"Index": 3, "BaseOffset": 9}]
    topics = [{"Name": "t", "TopicId": TOPIC, "PartitionResponses": partitions}]
    return response_bytes(PRODUCE, version, {"Responses": topics, **more}, number)


_NODES = [{"NodeId": 1, "Host": "real-1", "Port": 9092}]
_KINDS: dict[str, tuple[int, Any, Any]] = {
    "heartbeat": (HEARTBEAT, {"GroupId": "g"}, {"ErrorCode": 27}),
    "metadata": (METADATA, {"Topics": []}, {"Brokers": _NODES}),
    "produce": (PRODUCE, {"Acks": 1}, {"Responses": []}),
    "unanswered": (PRODUCE, {"Acks": 0}, None),
    "moved": (PRODUCE, {"Acks": -1}, {"Responses": [], "NodeEndpoints": _NODES}),
    "fetch": (FETCH, {"Topics": []}, {"Responses": []}),
    "moved-fetch": (FETCH, {"Topics": []}, {"Responses": [], "NodeEndpoints": _NODES}),
}


def _versions(key: int) -> st.SearchStrategy[int]:
    # Before version 8 the schema of Produce has no array that may be left out.
    return st.integers(max(KEYS[key].lowest, 4), KEYS[key].highest)


EXCHANGES = st.lists(
    st.sampled_from(sorted(_KINDS)).flatmap(
        lambda kind: st.tuples(st.just(kind), _versions(_KINDS[kind][0]), st.booleans())
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=300)
@given(EXCHANGES)
def test_with_and_without_a_relay_both_sides_get_the_same(exchanges: list[tuple[str, int, bool]]) -> None:
    dialogues = Dialogue(), Dialogue(has_relay=False)
    requests, answers = b"", b""
    for number, (kind, version, is_last) in enumerate(exchanges):
        key, request, response = _KINDS[kind]
        requests += request_bytes(key, version, request, number)
        if response is not None:
            answers += response_bytes(key, version, response, number)
        if is_last:
            for one in dialogues:
                one.request(requests)
                one.response(answers)
            requests, answers = b"", b""
    with_relay, without = dialogues
    assert with_relay.wire.cluster == without.wire.cluster
    assert with_relay.wire.client == without.wire.client
    assert with_relay.counted() == without.counted()


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 12), st.binary(max_size=6))
def test_bytes_that_are_no_frame_are_left_to_the_mediator(tail: bytes, cut: int, more: bytes) -> None:
    whole = request_bytes(HEARTBEAT, 4, {"GroupId": "g"})
    broken = tail[:4] + more + tail[4:]
    dialogue = Dialogue()
    assert dialogue.relay is not None
    passed = dialogue.relay.take_requests(whole + whole[:cut])
    assert passed == len(whole)
    assert dialogue.relay.take_requests(broken) <= len(broken)
    assert dialogue.relay.take_responses(broken) <= len(broken)


def test_what_nothing_looks_into_passes() -> None:
    dialogue = Dialogue()
    request, response = _produce(), _produced()
    assert dialogue.request(request) == len(request)
    assert dialogue.response(response) == len(response)


@pytest.mark.parametrize(
    "request_",
    [
        request_bytes(API_VERSIONS, 3, {}),
        request_bytes(HEARTBEAT, 4, {"GroupId": "g"})[:4] + b"\x00\x0c\x00\x63" + bytes(14),
        _produce()[:-9],
    ],
    ids=["answered by the gateway", "a version that was not offered", "not whole"],
)
def test_a_request_that_is_not_the_brokers_is_not_passed(request_: bytes) -> None:
    dialogue = Dialogue()
    assert dialogue.relay is not None
    assert dialogue.relay.take_requests(request_) == 0


def test_no_more_requests_pass_than_may_be_awaited() -> None:
    dialogue = Dialogue(most=2)
    request = request_bytes(HEARTBEAT, 4, {"GroupId": "g"})
    assert dialogue.relay is not None
    assert dialogue.relay.take_requests(request * 3) == 2 * len(request)


def test_a_frame_above_the_limit_is_not_passed() -> None:
    dialogue = Dialogue()
    assert dialogue.relay is not None
    request = _produce()
    dialogue.relay.limit(len(request) - 1, 9)
    assert dialogue.relay.take_requests(request) == 0
    dialogue.relay.limit(len(request), 9)
    assert dialogue.relay.take_requests(request) == len(request)


def test_a_closed_relay_passes_nothing() -> None:
    dialogue = Dialogue()
    assert dialogue.relay is not None
    dialogue.request(_produce())
    dialogue.relay.is_open = False
    assert dialogue.relay.take_requests(_produce()) == 0
    assert dialogue.relay.take_responses(_produced()) == 0


def test_a_response_to_another_request_is_not_passed() -> None:
    dialogue = Dialogue()
    dialogue.request(_produce(number=5))
    with pytest.raises(KafkaFormatError, match="another request"):
        dialogue.response(_produced(number=6))


def test_what_the_gateway_answers_itself_keeps_its_turn() -> None:
    dialogue = Dialogue()
    dialogue.request(_produce(number=1))
    dialogue.mediator.answer(HEARTBEAT, 4, 2, {"ErrorCode": 1})
    dialogue.request(_produce(number=3))
    dialogue.response(_produced(number=1) + _produced(number=3))
    own = response_bytes(HEARTBEAT, 4, {"ErrorCode": 1}, 2)
    assert dialogue.wire.client == _produced(number=1) + own + _produced(number=3)


def test_records_to_a_topic_that_was_allowed_pass_without_a_look() -> None:
    inspector = Looking()
    dialogue = Dialogue(inspector)
    request = _produce()
    assert [dialogue.request(request), dialogue.response(_produced())] == [0, 0]
    assert dialogue.request(request) == len(request)
    assert dialogue.response(_produced()) == len(_produced())
    assert inspector.seen == [PRODUCE]
    assert dialogue.wire.cluster == 2 * request


@pytest.mark.parametrize(
    "request_",
    [
        _produce(topics=(TOPIC, OTHER)),
        _produce(version=12),
        _produce(acks=0),
        request_bytes(PRODUCE, 13, {"TransactionalId": "x", "Acks": 1}),
        request_bytes(HEARTBEAT, 4, {"GroupId": "g"}),
    ],
    ids=["another topic", "topics by their names", "no answer", "a transaction", "another key"],
)
def test_all_else_of_an_inspected_session_is_looked_into(request_: bytes) -> None:
    dialogue = Dialogue(Looking())
    dialogue.request(_produce())
    assert dialogue.relay is not None
    assert dialogue.relay.take_requests(request_) == 0


@pytest.mark.parametrize(
    "response",
    [
        _produced(code=10),
        _produced(NodeEndpoints=_NODES),
        _produced(number=2),
        response_bytes(
            PRODUCE,
            13,
            {"Responses": [{"TopicId": TOPIC, "PartitionResponses": [{"Index": 0, "ErrorMessage": "no"}]}]},
        ),
    ],
    ids=["an error", "addresses", "of another request", "words"],
)
def test_a_response_that_says_more_than_all_is_well_is_looked_into(response: bytes) -> None:
    dialogue = Dialogue(Looking())
    dialogue.request(_produce())
    dialogue.response(_produced())
    assert dialogue.request(_produce()) > 0
    assert dialogue.relay is not None
    assert dialogue.relay.take_responses(response) == 0


def test_what_passes_is_paid_for_with_the_next_that_is_looked_into() -> None:
    inspector = Looking(free=(2, 1 << 20))
    dialogue = Dialogue(inspector)
    request, response = _produce(), _produced()
    dialogue.request(request)
    dialogue.response(response)  # this is looked into, and paid for
    passed = []
    for _ in range(3):
        dialogue.request(request)
        passed.append(dialogue.response(response) > 0)
    assert passed == [True, True, False]
    assert inspector.paid == [
        (len(request), len(response), 1),
        (3 * len(request), 3 * len(response), 3),
    ]


def test_what_passed_last_is_paid_for_at_the_end() -> None:
    inspector = Looking(free=(9, 1 << 20))
    dialogue = Dialogue(inspector)
    for _ in range(2):
        dialogue.request(_produce())
        dialogue.response(_produced())
    dialogue.mediator.pay()
    assert inspector.paid[-1] == (len(_produce()), len(_produced()), 1)


def test_bytes_above_what_is_free_do_not_pass() -> None:
    dialogue = Dialogue(Looking(free=(9, len(_produce()) - 1)))
    for _ in range(2):
        dialogue.request(_produce())
        passed = dialogue.response(_produced())
    assert passed == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 90), st.none() | st.integers()), max_size=80))
def test_rows_in_c_and_in_python_are_alike(steps: list[tuple[bool, int, int | None]]) -> None:
    ours, theirs = Row(), RowInC()
    for is_push, key, what in steps:
        if is_push:
            ours.push(key, key % 9, key * 7, what, key)
            theirs.push(key, key % 9, key * 7, what, key)
        elif len(ours):
            assert ours.pop() == theirs.pop()
        assert (len(ours), ours.first()) == (len(theirs), theirs.first())


def test_an_empty_row_has_nothing_to_take_out() -> None:
    for row in (Row(), RowInC()):
        with pytest.raises(IndexError):
            row.pop()
