"""kafkaRecordFilter: which records go on."""

from __future__ import annotations

import pytest
from policy_records import START, Given, Session

from gateway_runtime.exchange import Exchange
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.steps import compile_records
from gateway_runtime.snapshot.types import Step

EU, US = Given(b'{"total": 5}', b"a", [("region", b"eu")]), Given(b'{"total": 50}', b"b", [("region", b"us")])


@pytest.fixture
def session(steps, exchange):  # type: ignore[no-untyped-def]
    """A client whose records run through the filter."""

    def make(keep: str, condition: str | None = None, phase: str = "subscribe") -> Session:
        step = Step(policy="kafkaRecordFilter", configuration={"keep": keep}, condition=condition)
        environment = StepEnvironment("s", steps.secrets.__getitem__, steps.counter)
        found: Exchange = exchange(subscription="mobile")
        return Session(compile_records(step, phase, environment), found)

    return make


@pytest.mark.parametrize(
    "keep",
    [
        "{#message.headers['region'] == 'eu'}",
        "{#message.content.total < 10}",
        "{#message.key == 'a'}",
        "{#message.value == '{\"total\": 5}'}",
        "{#message.offset == 0}",
        f"{{#message.timestamp == {START}}}",
        "{#message.topic == 'orders' and message.partition == 1 and message.key != 'b'}",
        "{#subscription.name == 'mobile' and message.key.startswith('a')}",
    ],
)
def test_what_is_read_is_kept_by_all_that_a_message_is(session, keep: str) -> None:
    assert session(keep).read(EU, US) == [EU]


def test_what_is_sent_is_refused_where_one_record_does_not_fit(session) -> None:
    client = session("{#message.headers.region == 'eu'}", phase="publish")
    assert client.send(EU, EU) == [EU, EU]
    code, message = client.send(EU, US)
    assert code == 44
    assert "filter" in message


def test_a_record_for_which_the_expression_fails_does_not_fit(session) -> None:
    client = session("{#message.content.total < 10}")
    assert client.read(Given(b'{"total": "many"}'), Given(b"no JSON"), Given(None), EU) == [EU]
    assert session("{#message.content.total < 10}", phase="publish").send(Given(b"no JSON"))[0] == 44


def test_a_condition_says_which_records_are_looked_at(session) -> None:
    client = session("{#message.key == 'a'}", condition="{#message.headers.region == 'eu'}")
    other = Given(b"", b"b", [("region", b"eu")])
    assert client.read(EU, US, other) == [EU, US]


def test_keep_is_one_expression(problems) -> None:
    assert problems({"kafkaRecordFilter": {}}, "subscribe")
    assert problems({"kafkaRecordFilter": {"keep": "{#message.nothing}"}}, "request")
