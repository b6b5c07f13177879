"""kafkaSchemaValidation: which records may be sent, by a registry on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from policy_records import Given, Session
from pydantic import ValidationError
from schema_registry_server import RegistryServer

from gateway_runtime.exchange import Exchange
from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.kafka_schema_validation import KafkaSchemaValidation
from gateway_runtime.policies.schema_registry import SchemaRegistry
from gateway_runtime.policies.steps import compile_records
from gateway_runtime.snapshot.types import Step

ORDER = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
INVALID, TIMED_OUT = 87, 7


def written(schema_id: int, payload: bytes) -> bytes:
    """The wire format of serializers."""
    return b"\x00" + schema_id.to_bytes(4, "big") + payload


@pytest.fixture
async def registry() -> AsyncIterator[RegistryServer]:
    made = RegistryServer()
    await made.start()
    made.register(1, "orders-value", schema=ORDER)
    yield made
    await made.stop()


@pytest.fixture
def session(steps, exchange, registry):  # type: ignore[no-untyped-def]
    """A client whose records run through the policy."""

    def make(**more: Any) -> Session:
        server = {"url": registry.url, **more.pop("registry", {})}
        step = Step(policy="kafkaSchemaValidation", configuration={"registry": server, **more})
        environment = StepEnvironment("s", steps.secrets.__getitem__, steps.counter)
        found: Exchange = exchange()
        return Session(compile_records(step, "publish", environment), found)

    return make


async def test_a_record_that_fits_its_schema_is_sent(session) -> None:
    record = Given(written(1, b'{"total": 5}'))
    assert await session().send_once_ready(record) == [record]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (written(1, b'{"total": "five"}'), "/total"),
        (written(1, b"no JSON"), "schema 1"),
        (written(1, b'{"total": 1, "total": 2}'), "twice"),
        (written(2, b"{}"), "no such schema"),
        (b'{"total": 5}', "does not begin with the id"),
        (b"\x00\x00\x00", "does not begin with the id"),
        (b"", "does not begin with the id"),
    ],
)
async def test_a_record_that_does_not_fit_refuses_its_batch(session, value: bytes, message: str) -> None:
    good = Given(written(1, b'{"total": 5}'))
    code, text = await session().send_once_ready(good, Given(value))
    assert code == INVALID
    assert message in text


async def test_a_schema_of_another_subject_is_none_of_the_topic(session, registry) -> None:
    registry.register(3, "payments-value", "orders-key", schema=ORDER)
    code, text = await session().send_once_ready(Given(written(3, b'{"total": 5}')))
    assert (code, "not registered for orders-value" in text) == (INVALID, True)


async def test_of_other_kinds_of_schemas_the_id_is_checked_alone(session, registry) -> None:
    registry.register(4, "orders-value", kind="AVRO", schema={"type": "record"})
    record = Given(written(4, b"\x01\x02"))
    assert await session().send_once_ready(record) == [record]


async def test_keys_are_checked_where_it_is_asked_for(session, registry) -> None:
    registry.register(5, "orders-key", schema={"type": "string"})
    good, bad = written(5, b'"a"'), written(5, b"1")
    keys = session(keys=True, values=False)
    assert await keys.send_once_ready(Given(b"anything", good)) == [Given(b"anything", good)]
    assert (await keys.send_once_ready(Given(b"anything", bad)))[0] == INVALID


async def test_a_tombstone_passes(session) -> None:
    assert await session().send_once_ready(Given(None, b"k")) == [Given(None, b"k")]


async def test_a_schema_that_refers_to_others_is_told_of(session, registry) -> None:
    registry.register(6, "orders-value", references=[{"name": "a", "subject": "b", "version": 1}])
    code, text = await session().send_once_ready(Given(written(6, b"{}")))
    assert (code, "references" in text) == (INVALID, True)


async def test_without_the_registry_producers_try_again_and_known_schemas_serve(session, registry) -> None:
    client, record = session(), Given(written(1, b'{"total": 5}'))
    registry.status = 500
    assert (await client.send_once_ready(record))[0] == TIMED_OUT
    registry.status = 0
    other = session()
    assert await other.send_once_ready(record) == [record]
    await registry.stop()
    assert await other.send_once_ready(record) == [record]
    await registry.start()


async def test_the_registry_is_asked_once_for_many_records(session, registry) -> None:
    client = session()
    records = [Given(written(1, b'{"total": %d}' % number)) for number in range(50)]
    for _ in range(3):
        assert await client.send_once_ready(*records) == records
    assert registry.requests == ["/schemas/ids/1", "/schemas/ids/1/versions"]


async def test_an_answer_of_the_registry_is_kept_for_as_long_as_the_cache_says(session, registry) -> None:
    policy = session(cache="1s")
    record = Given(written(1, b'{"total": 5}'))
    await policy.send_once_ready(record)
    asked = len(registry.requests)
    await policy.send_once_ready(record)
    assert len(registry.requests) == asked
    async with asyncio.timeout(10):
        while len(registry.requests) == asked:
            await policy.send_once_ready(record)
    assert KafkaSchemaValidation.model_validate({"registry": {"url": registry.url}}).cache == 300.0


async def test_the_registry_is_asked_by_name_and_password(session, registry, steps) -> None:
    steps.secrets["registry"] = "pass"
    client = session(registry={"username": "edge", "password": "{#secrets.get('registry')}"})
    await client.send_once_ready(Given(written(1, b'{"total": 5}')))
    assert registry.authorizations == {"authorization: Basic ZWRnZTpwYXNz"}


async def test_what_did_not_fit_is_soon_looked_at_again_and_a_failure_sooner(registry) -> None:
    now = 0.0
    found = SchemaRegistry(registry.url, None, 300.0, lambda: now)
    await _ready(found, 9)
    assert found.prepare(9, "orders-value") is None
    now = 5.0
    registry.register(9, "orders-value")
    await _ready(found, 9)
    schema = found.schema(9)
    assert schema is not None
    assert "orders-value" in schema.subjects
    now = 304.0
    assert found.prepare(9, "orders-value") is None
    now = 305.0
    registry.status = 503
    await _ready(found, 9)
    assert found.schema(9) is not None
    assert "orders-value" in found.schema(9).subjects
    await _ready(found, 10)
    failed = found.schema(10)
    assert failed is not None
    assert failed.is_failure
    now = 306.0
    registry.status = 0
    await _ready(found, 10)
    assert not found.schema(10).is_failure


async def test_ids_beyond_what_is_kept_take_no_memory(registry, monkeypatch) -> None:
    monkeypatch.setattr("gateway_runtime.policies.schema_registry._MAX_SCHEMAS", 3)
    found = SchemaRegistry(registry.url, None, 300.0)
    for schema_id in range(10, 15):
        await _ready(found, schema_id)
    assert [found.schema(schema_id) is None for schema_id in range(10, 15)] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"registry": {"url": "ftp://a"}},
        {"registry": {"url": "http://a", "username": "u"}},
        {"registry": {"url": "http://a"}, "values": False},
    ],
    ids=str,
)
def test_configurations_that_make_no_sense_are_refused(configuration: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KafkaSchemaValidation.model_validate(configuration)


def test_a_url_with_credentials_is_refused(session) -> None:
    with pytest.raises(ValueError, match="without credentials"):
        session(registry={"url": "http://a:b@c"})


def test_what_only_a_record_gives_is_no_password(session) -> None:
    with pytest.raises(ExpressionError, match="needed at load"):
        session(registry={"username": "u", "password": "{#message.key}"})


async def _ready(registry: SchemaRegistry, schema_id: int) -> None:
    waiting = registry.prepare(schema_id, "orders-value")
    assert waiting is not None
    await waiting
