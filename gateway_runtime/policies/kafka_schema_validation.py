"""kafkaSchemaValidation: lets producers send only what fits a schema of the registry."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from gateway_runtime.exchange import Exchange
from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.kafka.record_flows import RecordStep, Refused
from gateway_runtime.kafka.record_message import MAX_JSON, SCHEMA_PREFIX, RecordMessage
from gateway_runtime.policies.base import Environment, PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import Duration, Setting, StrictModel
from gateway_runtime.policies.json_schema import problem_of
from gateway_runtime.policies.schema_registry import Schema, SchemaRegistry, basic

REQUEST_TIMED_OUT: Final = 7
INVALID_RECORD: Final = 87


class Registry(StrictModel):
    """A schema registry with the HTTP interface of Confluent's."""

    url: Annotated[
        Setting,
        Field(
            pattern=r"^(https?://\S+|.*\{#.*)$",
            max_length=2048,
            description="Where it is, such as http://registry:8081.",
        ),
    ]
    username: Annotated[Setting | None, Field(max_length=2048, description="Who asks, by HTTP Basic.")] = None
    password: Annotated[Setting | None, Field(max_length=2048, description="The password of the user.")] = (
        None
    )

    @model_validator(mode="after")
    def _is_pair(self) -> Registry:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self


class KafkaSchemaValidation(PolicyConfiguration):
    """Refuses records that do not fit a schema of the registry (INVALID_RECORD, for the whole batch).

    A record begins with a zero byte and the id of a schema, as serializers of Confluent write them; the
    schema must be registered for the subject TOPIC-value, or TOPIC-key, by the topic's name as the client
    knows it. By schemas of the type JSON the record itself is checked too (references to other schemas are
    not followed); of Avro and Protobuf the id alone. Tombstones pass. While the registry cannot be asked
    about an id that is not known yet, producers are told to try again (REQUEST_TIMED_OUT).
    """

    registry: Annotated[Registry, Field(description="Where the schemas are.")]
    values: Annotated[bool, Field(description="Whether values are checked.")] = True
    keys: Annotated[bool, Field(description="Whether keys are checked.")] = False
    cache: Annotated[
        Duration, Field(ge=1, le=86400, description="How long an answer of the registry is kept.")
    ] = 300.0

    @model_validator(mode="after")
    def _does_something(self) -> KafkaSchemaValidation:
        if not self.values and not self.keys:
            raise ValueError("values or keys is needed")
        return self


class _Validation(RecordStep):
    waits = True

    def __init__(self, configuration: KafkaSchemaValidation, environment: Environment) -> None:
        self._registry = _registry(configuration, environment)
        self._values = configuration.values
        self._keys = configuration.keys

    def prepare(self, exchange: Exchange, message: RecordMessage) -> Awaitable[None] | None:
        for part, value in self._parts(message):
            schema_id = _schema_id(value)
            if schema_id is not None:
                waiting = self._registry.prepare(schema_id, f"{message.topic}-{part}")
                if waiting is not None:
                    return waiting
        return None

    def run(self, exchange: Exchange, message: RecordMessage) -> Refused | None:
        for part, value in self._parts(message):
            refused = self._check(message.topic, part, value)
            if refused is not None:
                return refused
        return None

    def _parts(self, message: RecordMessage) -> list[tuple[str, bytes]]:
        checked = ((self._keys, "key", message.raw_key), (self._values, "value", message.raw_value))
        return [(part, value) for wanted, part, value in checked if wanted and value is not None]

    def _check(self, topic: str, part: str, value: bytes) -> Refused | None:
        schema_id = _schema_id(value)
        if schema_id is None:
            return Refused(INVALID_RECORD, f"The {part} does not begin with the id of a schema.")
        schema = self._registry.schema(schema_id)
        if schema is None or schema.is_failure:
            return Refused(REQUEST_TIMED_OUT, "The schema registry cannot be asked now.")
        problem = _misfit(schema, f"{topic}-{part}", value)
        return Refused(INVALID_RECORD, f"The {part} with schema {schema_id}: {problem}.") if problem else None


def _misfit(schema: Schema, subject: str, value: bytes) -> str:
    """Why a value is not one of a subject by its schema; empty where it is."""
    if schema.problem:
        return schema.problem
    if subject not in schema.subjects:
        return f"the schema is not registered for {subject}"
    if schema.validator is None:
        return ""
    if len(value) > MAX_JSON:
        return f"it is larger than {MAX_JSON} bytes"
    return problem_of(schema.validator, value[SCHEMA_PREFIX:])[1]


def _schema_id(value: bytes) -> int | None:
    """The id at the beginning of the wire format: a zero, and four bytes."""
    if len(value) < SCHEMA_PREFIX or value[0] != 0:
        return None
    return int.from_bytes(value[1:SCHEMA_PREFIX], "big")


def _registry(configuration: KafkaSchemaValidation, environment: Environment) -> SchemaRegistry:
    settings = configuration.registry
    url = _setting(settings.url, environment)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("the url of the registry is no http or https URL without credentials")
    authorization = None
    if settings.username is not None and settings.password is not None:
        authorization = basic(
            _setting(settings.username, environment), _setting(settings.password, environment)
        )
    return SchemaRegistry(url, authorization, configuration.cache)


def _setting(text: str, environment: Environment) -> str:
    constant = environment.template(text).constant
    if constant is None:
        raise ExpressionError("the registry is needed at load: only secrets are known then")
    return constant


POLICY = PolicyType("kafkaSchemaValidation", KafkaSchemaValidation, publish=_Validation)
