"""Produce requests and Fetch responses through steps on records."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from record_batches import Given, batch, read, values

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Request
from gateway_runtime.kafka.record_flows import RecordFlow, RecordStep, Refused
from gateway_runtime.kafka.record_message import RecordMessage
from gateway_runtime.kafka.record_steps import RecordSteps, Result

Message = dict[str, Any]


class Step(RecordStep):
    """A step that a function makes."""

    def __init__(self, run: Callable[[RecordMessage], object]) -> None:
        self._run = run

    def run(self, exchange: Exchange, message: RecordMessage) -> Refused | None:
        assert exchange.message is message
        found = self._run(message)
        return found if isinstance(found, Refused) else None


NO = Refused(44, "no")


def no_b(message: RecordMessage) -> Refused | None:
    return NO if message.value == "b" else None


def upper(message: RecordMessage) -> None:
    message.set_value((message.value or "").upper())


def flow(run: Callable[[RecordMessage], object], *topics: str) -> RecordFlow:
    return RecordFlow(topics, (Step(run),))


def exchange() -> Exchange:
    return Exchange(Request("", "", "", "", Headers([], [])), ApiInfo("a", "b", "", {}))


def steps(*flows: RecordFlow) -> RecordSteps:
    return RecordSteps(exchange(), flows, flows)


def produce(**topics: bytes | list[bytes]) -> Message:
    """A request; each topic has one partition, or those of a list."""
    return {
        "TopicData": [
            {
                "Name": name,
                "PartitionData": [
                    {"Index": index, "Records": memoryview(one)}
                    for index, one in enumerate(data if isinstance(data, list) else [data])
                ],
            }
            for name, data in topics.items()
        ]
    }


def fetched(**topics: bytes) -> Message:
    """A response; each topic has one partition."""
    return {
        "Responses": [
            {
                "Topic": name,
                "Partitions": [{"PartitionIndex": 3, "ErrorCode": 0, "Records": memoryview(data)}],
            }
            for name, data in topics.items()
        ]
    }


def sent(message: Message, topic: int = 0, partition: int = 0) -> memoryview:
    found: memoryview = message["TopicData"][topic]["PartitionData"][partition]["Records"]
    return found


def got(message: Message, topic: int = 0) -> Message:
    found: Message = message["Responses"][topic]["Partitions"][0]
    return found


def texts(data: memoryview) -> list[bytes | None]:
    return [one.value for one in read(data)]


def codes(result: Result) -> list[tuple[str, int, int]]:
    return [(one.topic.get("Name", ""), one.partition["Index"], one.code) for one in result.refused]


def test_what_no_step_changes_goes_on_as_the_same_bytes() -> None:
    data = values("a", "c", codec=1)
    for message, found in ((produce(t=data), sent), (fetched(t=data), lambda one: got(one)["Records"])):
        run = steps(flow(no_b)).publish if "TopicData" in message else steps(flow(no_b)).subscribe
        result = run(message)
        assert (result.is_edited, result.refused) == (False, [])
        assert found(message) == data


def test_a_partition_with_a_record_that_is_refused_is_taken_out_and_the_others_go_on() -> None:
    message = produce(t=[values("a"), values("c", "b")], u=values("b"), v=values("a"))
    result = steps(flow(no_b)).publish(message)
    assert codes(result) == [("t", 1, 44), ("u", 0, 44)]
    assert [(one.message, one.index) for one in result.refused] == [("no", 1), ("no", 0)]
    assert result.is_edited
    assert [topic["Name"] for topic in message["TopicData"]] == ["t", "v"]
    assert [part["Index"] for part in message["TopicData"][0]["PartitionData"]] == [0]


def test_a_record_that_may_not_be_read_is_left_out_and_offsets_stay() -> None:
    message = fetched(t=values("a", "b", "c") + values("b"))
    assert steps(flow(no_b)).subscribe(message).is_edited
    data = got(message)["Records"]
    length = 12 + int.from_bytes(data[8:12], "big")
    assert [(one.offset, one.value) for one in read(data[:length])] == [(0, b"a"), (2, b"c")]
    assert read(data[length:]) == []
    assert got(message)["ErrorCode"] == 0


def test_changed_records_are_sent_on() -> None:
    message = produce(t=batch(Given(b"k", b"a", [("h", b"v")]), codec=4))
    assert steps(flow(upper)).publish(message).is_edited
    assert read(sent(message)) == [Given(b"k", b"A", [("h", b"v")])]


def test_steps_run_in_order_and_end_with_a_refusal() -> None:
    run: list[str] = []
    first, second = flow(lambda _: run.append("first")), flow(lambda _: NO)
    third = flow(lambda _: run.append("third"))
    assert steps(first, second, third).publish(produce(t=values("a"))).refused
    assert run == ["first"]


@pytest.mark.parametrize(
    ("topics", "touched"),
    [
        ((), ["t", "logs-a"]),
        (("t",), ["t"]),
        (("logs-*",), ["logs-a"]),
        (("*",), ["t", "logs-a"]),
        (("o",), []),
    ],
)
def test_a_flow_is_for_its_topics_alone(topics: tuple[str, ...], touched: list[str]) -> None:
    message = fetched(t=values("b"), **{"logs-a": values("b")})
    steps(flow(upper, *topics)).subscribe(message)
    found = [one["Topic"] for one in message["Responses"] if texts(one["Partitions"][0]["Records"]) == [b"B"]]
    assert found == touched


def test_where_a_topic_has_no_name_a_flow_for_some_topics_lets_nothing_through() -> None:
    some, every = steps(flow(upper, "t")), steps(flow(upper))
    message = produce(t=values("a"))
    message["TopicData"][0]["Name"] = None
    assert [one.code for one in some.publish(message).refused] == [100]
    message = fetched(t=values("a"))
    del message["Responses"][0]["Topic"]
    assert [one.code for one in some.subscribe(message).refused] == [100]
    assert (got(message)["ErrorCode"], bytes(got(message)["Records"])) == (100, b"")
    message = fetched(t=values("a"))
    del message["Responses"][0]["Topic"]
    every.subscribe(message)
    assert texts(got(message)["Records"]) == [b"A"]


def test_what_cannot_be_looked_into_is_refused() -> None:
    wrong_crc = bytearray(values("a"))
    wrong_crc[-1] ^= 1
    old = bytes(16) + b"\x01" + bytes(20)
    old = old[:8] + (len(old) - 12).to_bytes(4, "big") + old[12:]
    for data, code in ((bytes(wrong_crc), 2), (values("a")[:-1], 2), (old, 43)):
        assert codes(steps(flow(upper)).publish(produce(t=data))) == [("t", 0, code)]
    for data, code in ((bytes(wrong_crc), 2), (old, 43)):
        message = fetched(t=data)
        assert [one.code for one in steps(flow(upper)).subscribe(message).refused] == [code]
        assert (got(message)["ErrorCode"], bytes(got(message)["Records"])) == (code, b"")


def test_the_beginning_of_a_batch_that_is_cut_off_is_not_shown() -> None:
    message = fetched(t=values("a") + values("b")[:-1])
    assert steps(flow(lambda _: None)).subscribe(message).is_edited
    assert got(message)["Records"] == values("a")


def test_marks_of_transactions_go_on_as_they_are() -> None:
    data = bytearray(values("b"))
    data[22] |= 0x20
    message = fetched(t=bytes(data))
    assert not steps(flow(no_b)).subscribe(message).is_edited
    assert got(message)["Records"] == data


def test_a_step_that_fails_lets_nothing_through() -> None:
    def fail(_: RecordMessage) -> None:
        raise ZeroDivisionError

    assert codes(steps(flow(fail)).publish(produce(t=values("a")))) == [("t", 0, 44)]
    message = fetched(t=values("a"))
    steps(flow(fail)).subscribe(message)
    assert read(got(message)["Records"]) == []


def test_a_message_without_records_is_left_alone() -> None:
    message = produce(t=values("a"))
    message["TopicData"][0]["PartitionData"][0]["Records"] = None
    assert not steps(flow(no_b)).publish(message).is_edited
    message = fetched(t=b"")
    got(message)["Records"] = None
    assert not steps(flow(no_b)).subscribe(message).is_edited


def test_without_steps_nothing_is_looked_at() -> None:
    none = steps()
    assert (none.publishes, none.subscribes) == (False, False)
    message = produce(t=b"no records at all")
    assert not none.publish(message).is_edited
    assert none.prepare(message) is None


def test_a_record_says_where_it_is() -> None:
    found: list[tuple[object, ...]] = []

    def note(message: RecordMessage) -> None:
        found.append((message.topic, message.partition, message.offset, message.key, message.headers))

    one, other = Given(b"\xffk", b"{}", [("h", b"1"), ("h", b"2"), ("n", None)]), Given()
    steps(flow(note)).subscribe(fetched(t=batch(one, other)))
    steps(flow(note)).publish(produce(t=batch(other)))
    headers = {"h": "2", "n": None}
    assert found == [("t", 3, 0, "\udcffk", headers), ("t", 3, 1, None, {}), ("t", 0, None, None, {})]


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (b'{"a": [1]}', {"a": [1]}),
        (b'\x00\x00\x00\x00\x07{"a": 1}', {"a": 1}),
        (b"[1, 2]", [1, 2]),
        (b"no JSON", None),
        (b"\x00\x01", None),
        (b"[" * 100_000, None),
        (None, None),
    ],
    ids=str,
)
def test_the_value_is_read_as_json_where_it_is_some(value: bytes | None, content: object) -> None:
    found: list[object] = []
    steps(flow(lambda message: found.append(message.content))).publish(produce(t=batch(Given(value=value))))
    assert found == [content]


def test_a_value_that_is_too_large_is_not_read_as_json() -> None:
    found: list[object] = []
    largest = b'"' + b"a" * ((8 << 20) - 2) + b'"'
    note = steps(flow(lambda message: found.append(message.content)))
    for value in (largest, largest + b" "):
        note.publish(produce(t=batch(Given(value=value), codec=1)))
    assert found == [largest.decode()[1:-1], None]


class Waiting(RecordStep):
    """Waits once for each value."""

    waits = True

    def __init__(self) -> None:
        self.there: set[str] = set()

    def prepare(self, exchange: Exchange, message: RecordMessage) -> Awaitable[None] | None:
        assert message.value is not None
        return None if message.value in self.there else self._fetch(message.value)

    async def _fetch(self, value: str) -> None:
        self.there.add(value)

    def run(self, exchange: Exchange, message: RecordMessage) -> Refused | None:
        return None if message.value in self.there else NO


async def test_what_steps_wait_for_is_told_before_they_run() -> None:
    step = Waiting()
    found = steps(RecordFlow(("t",), (step,)))
    message = produce(t=values("a", "b"), u=values("c"))
    waiting = found.prepare(message)
    assert waiting is not None
    await asyncio.wait_for(_awaited(waiting), 5)
    assert step.there == {"a", "b"}
    assert found.prepare(message) is None
    assert not found.publish(message).refused


async def _awaited(waiting: Awaitable[None]) -> None:
    await waiting


async def test_one_request_waits_for_a_bounded_number_of_things() -> None:
    step = Waiting()
    found = steps(RecordFlow((), (step,)))
    message = produce(t=values(*map(str, range(100))))
    waiting = found.prepare(message)
    assert waiting is not None
    await waiting
    assert len(step.there) == 16
    assert codes(found.publish(message)) == [("t", 0, 44)]


def test_a_step_that_fails_as_it_prepares_makes_nobody_wait() -> None:
    class Failing(Waiting):
        def prepare(self, exchange: Exchange, message: RecordMessage) -> Awaitable[None] | None:
            raise ZeroDivisionError

    assert steps(RecordFlow((), (Failing(),))).prepare(produce(t=values("a"))) is None


def test_broken_records_make_nobody_wait() -> None:
    assert steps(RecordFlow((), (Waiting(),))).prepare(produce(t=b"broken, and long enough")) is None
