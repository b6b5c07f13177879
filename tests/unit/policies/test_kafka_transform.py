"""kafkaTransform: what becomes of headers, key and value."""

from __future__ import annotations

from typing import Any

import pytest
from policy_records import Given, Session
from pydantic import ValidationError

from gateway_runtime.exchange import Exchange
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.kafka_transform import KafkaTransform
from gateway_runtime.policies.steps import compile_records
from gateway_runtime.snapshot.types import Step

RECORD = Given(b'{"id": 7}', b"k", [("a", b"1"), ("b", b"\xff"), ("a", b"2")])


@pytest.fixture
def session(steps, exchange):  # type: ignore[no-untyped-def]
    """A client whose records run through the policy."""

    def make(phase: str = "publish", **configuration: Any) -> Session:
        step = Step(policy="kafkaTransform", configuration=configuration)
        environment = StepEnvironment("s", steps.secrets.__getitem__, steps.counter)
        found: Exchange = exchange(subscription="mobile")
        return Session(compile_records(step, phase, environment), found)

    return make


@pytest.mark.parametrize("phase", ["publish", "subscribe"])
def test_headers_are_removed_and_set(session, phase: str) -> None:
    client = session(phase, removeHeaders=["a"], setHeaders={"b": "new", "who": "{#subscription.name}"})
    found = client.send(RECORD) if phase == "publish" else client.read(RECORD)
    assert found == [Given(RECORD.value, RECORD.key, [("b", b"new"), ("who", b"mobile")])]


def test_key_and_value_are_set_by_the_record_as_it_was(session) -> None:
    client = session(key="{#message.content.id}", value="{#message.key}/{#message.headers.a}")
    assert client.send(RECORD) == [Given(b"k/2", b"7", RECORD.headers)]


def test_bytes_that_are_no_text_come_through_a_template_whole(session) -> None:
    client = session(setHeaders={"copy": "{#message.value}"}, value="<{#message.value}>")
    assert client.send(Given(b"\x00\xff\xfe")) == [
        Given(b"<\x00\xff\xfe>", None, [("copy", b"\x00\xff\xfe")])
    ]


def test_a_tombstone_stays_one(session) -> None:
    assert session(value="v", key="k").send(Given(None, b"a")) == [Given(None, b"k")]


def test_a_record_that_nothing_is_changed_of_keeps_its_bytes(session) -> None:
    client = session(removeHeaders=["none"])
    assert client.send(RECORD) == [RECORD]


def test_where_an_expression_fails_the_record_does_not_go_on(session) -> None:
    failing = {"a": "{#message.content.id / message.content.zero}"}
    record = Given(b'{"id": 1, "zero": 0}')
    assert session(setHeaders=failing).send(record)[0] == 44
    assert session("subscribe", setHeaders=failing).read(record, RECORD) == []


def test_something_is_to_be_done() -> None:
    with pytest.raises(ValidationError, match="is needed"):
        KafkaTransform.model_validate({})
