"""A client and a broker in dialogue, with the gateway between them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from mediated import ALL, address_book, request_bytes, response_bytes

from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.mediator import Mediator, Pieces
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.frames import (
    RequestHeader,
    correlation_id_of,
    read_request_header,
    read_response,
)
from gateway_runtime.protocols.kafka.messages import Message, request_layout
from gateway_runtime.stats import KafkaStats

PRODUCE, FETCH, METADATA, FIND_COORDINATOR = 0, 1, 3, 10


class Wire:
    """Keeps what is sent to either side."""

    def __init__(self) -> None:
        self.client: list[bytes] = []
        self.cluster: list[bytes] = []
        self.muted: list[int] = []
        self.is_told = False
        self.work: Awaitable[None] | None = None

    def to_client(self, pieces: Pieces) -> None:
        self.client.append(b"".join(pieces))

    def to_cluster(self, pieces: Pieces) -> None:
        self.cluster.append(b"".join(pieces))

    def mute(self, milliseconds: int) -> None:
        self.muted.append(milliseconds)

    def told(self) -> None:
        self.is_told = True

    def wait(self, work: Awaitable[None]) -> None:
        self.work = work


class Inspector:
    """Does what a test says."""

    def __init__(self, answer: Message | None = None, edit: Message | None = None, mute: int = 0) -> None:
        self.answer = answer
        self.edit = edit
        self.mute = mute
        self.closes = False
        self.work: Awaitable[None] | None = None
        self.costs: list[tuple[int, int]] = []
        self.question: tuple[int, int, Message] | None = None
        self.heard: list[Message] = []

    def asks(self, call: Call) -> tuple[int, int, Message] | None:
        return self.question

    def told(self, call: Call, question: Message, response: Message) -> None:
        self.heard.append(response)

    def prepares(self, call: Call) -> Awaitable[None] | None:
        return self.work

    def request(self, call: Call) -> Message | None:
        call.closes = self.closes
        if self.edit is not None:
            call.message.update(self.edit)
            call.edited = True
        return self.answer

    def response(self, call: Call, response: Message) -> None:
        pass

    def cost(self, received: int, sent: int, requests: int) -> int:
        assert requests == 1
        self.costs.append((received, sent))
        return self.mute

    def settles(self, _call: Call) -> bool:
        return False

    @property
    def free(self) -> tuple[int, int] | None:
        return None


def _mediator(wire: Wire, inspector: Inspector | None = None, versions: Any = None) -> Mediator:
    return Mediator(wire, ALL if versions is None else versions, address_book(), inspector, KafkaStats())


def _request(key: int, version: int, message: Message, number: int = 1) -> tuple[RequestHeader, bytes]:
    frame = request_bytes(key, version, message, number)
    return read_request_header(frame), frame


def test_what_nothing_looks_into_goes_on_as_it_came() -> None:
    wire = Wire()
    mediator = _mediator(wire)
    header, request = _request(12, 4, {"GroupId": "g"})
    mediator.request(header, request)
    response = response_bytes(12, 4, {"ErrorCode": 27})
    mediator.response(response)
    assert (wire.cluster, wire.client) == ([request], [response])


def test_a_client_never_sees_the_address_of_a_broker_in_metadata() -> None:
    wire = Wire()
    mediator = _mediator(wire)
    mediator.request(*_request(METADATA, 12, {"Topics": []}))
    brokers = [{"NodeId": number, "Host": f"real-{number}", "Port": 9092} for number in (0, 3)]
    mediator.response(response_bytes(METADATA, 12, {"Brokers": brokers}))
    assert b"real" not in wire.client[0]
    found = read_response(wire.client[0], METADATA, 12)["Brokers"]
    assert [(one["NodeId"], one["Host"], one["Port"]) for one in found] == [
        (0, "gateway.test", 9101),
        (3, "gateway.test", 9104),
    ]


@pytest.mark.parametrize(
    ("key", "version"), [(PRODUCE, 10), (PRODUCE, 13), (FETCH, 16), (FETCH, 18), (78, 1), (79, 2)]
)
def test_the_endpoints_of_new_leaders_are_the_gateways(key: int, version: int) -> None:
    wire = Wire()
    mediator = _mediator(wire)
    mediator.request(*_request(key, version, {"Acks": 1}))
    node = {"NodeId": 1, "Host": "real-1", "Port": 9092}
    mediator.response(response_bytes(key, version, {"NodeEndpoints": [node]}))
    assert b"real" not in wire.client[0]
    found = read_response(wire.client[0], key, version)["NodeEndpoints"]
    assert [(one["Host"], one["Port"]) for one in found] == [("gateway.test", 9102)]


@pytest.mark.parametrize("version", range(7))
def test_a_coordinator_is_found_at_the_gateway(version: int) -> None:
    wire = Wire()
    mediator = _mediator(wire)
    mediator.request(*_request(FIND_COORDINATOR, version, {"Key": "g", "CoordinatorKeys": ["g"]}))
    place = {"NodeId": 2, "Host": "real-2", "Port": 9092}
    message = place if version < 4 else {"Coordinators": [{"Key": "g", **place}]}
    mediator.response(response_bytes(FIND_COORDINATOR, version, message))
    assert b"real" not in wire.client[0]
    answer = read_response(wire.client[0], FIND_COORDINATOR, version)
    found = answer if version < 4 else answer["Coordinators"][0]
    assert (found["Host"], found["Port"]) == ("gateway.test", 9103)


def test_a_broker_without_a_port_is_not_shown() -> None:
    wire = Wire()
    mediator = _mediator(wire)
    mediator.request(*_request(METADATA, 12, {"Topics": []}))
    brokers = [{"NodeId": number, "Host": "real", "Port": 9092} for number in (15, 16)]
    mediator.response(response_bytes(METADATA, 12, {"Brokers": brokers}))
    assert [one["NodeId"] for one in read_response(wire.client[0], METADATA, 12)["Brokers"]] == [15]


def test_addresses_of_controllers_are_not_shown() -> None:
    wire = Wire()
    mediator = _mediator(wire)
    mediator.request(*_request(55, 2, {}))
    node = {"NodeId": 1, "Listeners": [{"Name": "CONTROLLER", "Host": "real-1", "Port": 9093}]}
    mediator.response(response_bytes(55, 2, {"Nodes": [node]}))
    assert b"real" not in wire.client[0]


def test_a_produce_without_acknowledgement_awaits_no_response() -> None:
    wire = Wire()
    mediator = _mediator(wire)
    mediator.request(*_request(PRODUCE, 9, {"Acks": 0}, 1))
    assert mediator.in_flight == 0
    mediator.request(*_request(12, 4, {}, 2))
    response = response_bytes(12, 4, {}, 2)
    mediator.response(response)
    assert wire.client == [response]


@pytest.mark.parametrize("version", range(3, 14))
@pytest.mark.parametrize("transaction", [None, "t", "t" * 200])
def test_a_produce_awaits_a_response_by_its_acks(version: int, transaction: str | None) -> None:
    for acks, in_flight in ((0, 0), (1, 1), (-1, 1)):
        mediator = _mediator(Wire())
        mediator.request(*_request(PRODUCE, version, {"Acks": acks, "TransactionalId": transaction}))
        assert mediator.in_flight == in_flight


def test_a_produce_that_is_too_short_for_acks_is_refused() -> None:
    header, request = _request(PRODUCE, 9, {"Acks": 1})
    with pytest.raises(KafkaFormatError, match="too short"):
        _mediator(Wire()).request(header, request[: header.body + 1])


def test_what_the_gateway_answers_waits_for_its_turn() -> None:
    wire = Wire()
    mediator = _mediator(wire)
    mediator.request(*_request(12, 4, {}, 1))
    mediator.answer(12, 4, 2, {"ErrorCode": 30})
    mediator.answer(12, 4, 3, {"ErrorCode": 30})
    assert wire.client == []
    mediator.response(response_bytes(12, 4, {}, 1))
    assert list(map(correlation_id_of, wire.client)) == [1, 2, 3]
    assert mediator.in_flight == 0


def test_a_request_that_is_answered_does_not_reach_the_broker() -> None:
    wire = Wire()
    mediator = _mediator(wire, Inspector(answer={"ErrorCode": 30}))
    mediator.request(*_request(12, 4, {}, 7))
    assert wire.cluster == []
    assert read_response(wire.client[0], 12, 4)["ErrorCode"] == 30


def test_a_refused_produce_without_acknowledgement_is_answered_by_nothing() -> None:
    wire = Wire()
    mediator = _mediator(wire, Inspector(answer={}))
    mediator.request(*_request(PRODUCE, 9, {"Acks": 0}))
    assert (wire.client, wire.cluster, mediator.in_flight) == ([], [], 0)


def test_a_produce_that_is_refused_where_no_response_tells_so_ends_the_connection() -> None:
    wire, inspector = Wire(), Inspector()
    inspector.closes = True
    with pytest.raises(KafkaFormatError, match="no response would tell"):
        _mediator(wire, inspector).request(*_request(PRODUCE, 9, {"Acks": 0}))


def test_a_request_that_is_edited_keeps_its_header() -> None:
    wire = Wire()
    mediator = _mediator(wire, Inspector(edit={"GroupId": "tenant.g"}))
    mediator.request(*_request(12, 4, {"GroupId": "g"}, 5))
    header = read_request_header(wire.cluster[0])
    assert (header.key, header.version, header.correlation_id, header.client_id) == (12, 4, 5, "me")
    assert request_layout(12, 4).decode(wire.cluster[0], header.body)["GroupId"] == "tenant.g"


def test_a_request_waits_for_what_the_cluster_is_asked_before() -> None:
    wire, inspector = Wire(), Inspector()
    mediator = _mediator(wire, inspector)
    inspector.question = (METADATA, 12, {"Topics": []})
    header, request = _request(12, 4, {}, 9)
    waiting = mediator.request(header, request)
    assert waiting is not None
    asked = read_request_header(wire.cluster[0])
    assert asked.key == METADATA
    mediator.response(response_bytes(METADATA, 12, {"ClusterId": "x"}, asked.correlation_id))
    assert inspector.heard[0]["ClusterId"] == "x"
    assert wire.is_told
    assert mediator.proceed(header, request, waiting, is_asked=True) is None
    assert wire.cluster[1] == request
    assert wire.client == []


def test_a_client_over_its_quota_is_told_and_muted() -> None:
    wire = Wire()
    mediator = _mediator(wire, Inspector(mute=250))
    mediator.request(*_request(PRODUCE, 9, {"Acks": 1}))
    mediator.response(response_bytes(PRODUCE, 9, {"ThrottleTimeMs": 10}))
    assert read_response(wire.client[0], PRODUCE, 9)["ThrottleTimeMs"] == 250
    assert wire.muted == [250]


def test_a_request_waits_for_what_its_records_need() -> None:
    wire, inspector = Wire(), Inspector()

    async def nothing() -> None:
        return

    work = inspector.work = nothing()
    mediator = _mediator(wire, inspector)
    header, request = _request(PRODUCE, 9, {"Acks": 1})
    waiting = mediator.request(header, request)
    assert waiting is not None
    assert (wire.work, wire.cluster) == (work, [])
    mediator.proceed(header, request, waiting, is_asked=True, is_ready=True)
    assert wire.cluster == [request]
    work.close()


def test_what_has_no_response_costs_too() -> None:
    wire, inspector = Wire(), Inspector(mute=40)
    header, request = _request(PRODUCE, 9, {"Acks": 0})
    _mediator(wire, inspector).request(header, request)
    assert inspector.costs == [(len(request), 0)]
    assert wire.muted == [40]


def test_what_was_not_offered_is_refused() -> None:
    mediator = _mediator(Wire(), versions={METADATA: (0, 9)})
    with pytest.raises(KafkaFormatError, match="Metadata version 10 was not offered"):
        mediator.request(*_request(METADATA, 10, {}))
    with pytest.raises(KafkaFormatError, match="Heartbeat version 4 was not offered"):
        mediator.request(*_request(12, 4, {}))


def test_a_response_that_nobody_awaits_is_refused() -> None:
    mediator = _mediator(Wire())
    with pytest.raises(KafkaFormatError, match="without a request"):
        mediator.response(response_bytes(12, 4, {}))
    mediator.request(*_request(12, 4, {}, 1))
    with pytest.raises(KafkaFormatError, match="another request"):
        mediator.response(response_bytes(12, 4, {}, 2))
