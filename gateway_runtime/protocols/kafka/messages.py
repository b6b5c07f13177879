"""What messages there are: API keys with their versions, the layout of each, and the entities in it.

All from `schemas.json`, which `tools/kafka_schemas.py` makes of Kafka's own schemas. A layout is made when it
is first asked for, and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec

from gateway_runtime.protocols.kafka import plan as kinds
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.plan import FieldPlan, Plan

try:
    from gateway_runtime.protocols.kafka._codec import behind_fields, decode, encode
except ImportError:
    from gateway_runtime.protocols.kafka.codec import behind_fields, decode, encode

Message = dict[str, Any]
"""A struct by the names of its fields in Kafka's schemas; arrays are lists, bytes are views."""

_FILE: Final = files("gateway_runtime.protocols.kafka") / "schemas.json"
_SCHEMAS: Final[dict[str, Any]] = msgspec.json.decode(_FILE.read_bytes())
KAFKA_VERSION: Final[str] = _SCHEMAS.pop("kafka")
"""The release of Kafka whose messages are known."""

API_VERSIONS: Final = 18
_MAX: Final = 1 << 15
_SPAN: Final = re.compile(r"(\d+)(?:(\+)|-(\d+))?")
_FIXED: Final = {
    "bool": kinds.BOOL,
    "int8": kinds.INT8,
    "int16": kinds.INT16,
    "uint16": kinds.UINT16,
    "int32": kinds.INT32,
    "uint32": kinds.UINT32,
    "int64": kinds.INT64,
    "float64": kinds.FLOAT64,
    "uuid": kinds.UUID,
}
_COUNTED: Final = {
    "string": (kinds.STRING, kinds.COMPACT_STRING),
    "bytes": (kinds.BYTES, kinds.COMPACT_BYTES),
    "records": (kinds.BYTES, kinds.COMPACT_BYTES),
}
_ARRAYS: Final = (kinds.ARRAY, kinds.COMPACT_ARRAY)
_EMPTY: Final[dict[str, Any]] = {"bool": False, "uuid": bytes(16), "string": "", "bytes": b"", "records": b""}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One kind of request: `lowest` to `highest` are its versions, from `flexible` on with tagged fields."""

    key: int
    name: str
    lowest: int
    highest: int
    flexible: int


class Entity(NamedTuple):
    """A field that names something: `path` goes through arrays and structs to a string or strings."""

    kind: str
    path: tuple[str, ...]


class Layout:
    """One message at one version."""

    __slots__ = ("name", "plan", "version")

    def __init__(self, name: str, version: int) -> None:
        schema = _SCHEMAS[name]
        if not _within(schema["versions"], version):
            raise KeyError(f"{name} version {version}")
        self.name = name
        self.version = version
        self.plan = _plan(schema["fields"], version, _within(schema["flexible"], version))

    def decode(self, data: bytes | bytearray | memoryview, position: int = 0) -> Message:
        """The message from a position to the end of the data; raises KafkaFormatError for anything else."""
        message, end = decode(self.plan, data, position)
        if end != len(data):
            raise KafkaFormatError(f"{self.name} version {self.version}: {len(data) - end} bytes too many")
        return message

    def decode_start(self, data: bytes | bytearray | memoryview, position: int = 0) -> Message:
        """As `decode`, without regard to bytes behind the message.

        Brokers ignore them in requests, and librdkafka asks for the metadata of all topics so.
        """
        return decode(self.plan, data, position)[0]

    def has_tags(self, data: bytes | bytearray | memoryview, position: int) -> bool:
        """Whether a message has tagged fields, told without reading it; raises as `decode` does."""
        if not self.plan.is_flexible:
            return False
        at = behind_fields(self.plan, data, position)
        return at >= len(data) or data[at] != 0

    def encode(self, message: Message) -> list[bytes | memoryview]:
        """The bytes of a message in pieces; a field that is not given is as the schema says."""
        return encode(self.plan, message)


@cache
def request_layout(key: int, version: int) -> Layout:
    """How a request's body is laid out; raises KeyError for an unknown key or version."""
    return Layout(f"{KEYS[key].name}Request", version)


@cache
def response_layout(key: int, version: int) -> Layout:
    """How a response's body is laid out; raises KeyError for an unknown key or version."""
    return Layout(f"{KEYS[key].name}Response", version)


@cache
def embedded_layout(name: str, version: int) -> Layout:
    """How what a consumer puts into bytes is laid out; raises KeyError for an unknown name or version."""
    return Layout(name, version)


@cache
def entities(key: int, version: int, is_request: bool) -> tuple[Entity, ...]:
    """Everything that a message names by Kafka's own annotations; raises KeyError as the layouts do."""
    layout = request_layout(key, version) if is_request else response_layout(key, version)
    return tuple(_entities(_SCHEMAS[layout.name]["fields"], version, ()))


def fields(key: int, version: int, is_request: bool) -> Iterator[tuple[str, ...]]:
    """The paths of all fields of a message, as those of entities; raises KeyError as the layouts do."""
    layout = request_layout(key, version) if is_request else response_layout(key, version)
    return _paths(_SCHEMAS[layout.name]["fields"], version, ())


@cache
def header_flexible(key: int, version: int) -> tuple[bool, bool]:
    """Whether the headers of request and response have tagged fields; that of ApiVersions never (KIP-511)."""
    flexible = version >= FLEXIBLE_FROM[key]
    return flexible, flexible and key != API_VERSIONS


def _entities(fields: list[Any], version: int, above: tuple[str, ...]) -> Iterator[Entity]:
    for field in fields:
        if not _within(field["versions"], version):
            continue
        path = (*above, field["name"])
        if "entity" in field:
            yield Entity(field["entity"], path)
        yield from _entities(field.get("fields", []), version, path)


def _paths(fields: list[Any], version: int, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for field in fields:
        if _within(field["versions"], version):
            path = (*above, field["name"])
            yield path
            yield from _paths(field.get("fields", []), version, path)


def _plan(fields: list[Any], version: int, is_flexible: bool) -> Plan:
    there = [field for field in fields if _within(field["versions"], version)]
    tagged = [field for field in there if is_flexible and _within(field.get("tagged", "none"), version)]
    in_order = [field for field in there if field not in tagged]
    return Plan(
        tuple(_field(field, version, is_flexible) for field in in_order),
        tuple(_field(field, version, is_flexible) for field in tagged),
        is_flexible,
    )


def _field(field: Any, version: int, is_flexible: bool) -> FieldPlan:
    type_, inner = field["type"], field.get("fields")
    is_flexible = is_flexible and field.get("flexible") != "none"
    is_nullable = _within(field.get("nullable", "none"), version)
    element_type = type_.removeprefix("[]")
    struct = _plan(inner, version, is_flexible) if inner else None
    element = _kind(element_type, is_flexible)
    if type_ != element_type:
        kind = _ARRAYS[is_flexible]
    elif element == kinds.STRUCT and is_nullable:
        kind = kinds.NULLABLE_STRUCT
    else:
        kind = element
    empty = _empty(field, type_, is_nullable)
    return FieldPlan(field["name"], kind, is_nullable, empty, element, struct, int(field.get("tag", -1)))


def _kind(type_: str, is_flexible: bool) -> int:
    if type_ in _COUNTED:
        return _COUNTED[type_][is_flexible]
    return _FIXED.get(type_, kinds.STRUCT)


def _empty(field: Any, type_: str, is_nullable: bool) -> Any:
    default = field.get("default")
    if default in (None, "") or (default == "null" and not is_nullable):
        if type_.startswith("[]"):
            return []
        return {} if type_[0].isupper() else _EMPTY.get(type_, 0)
    if default == "null":
        return None
    if type_ == "bool":
        return str(default).lower() == "true"
    return default if type_ == "string" else int(str(default), 0)


@cache
def _span(text: str) -> tuple[int, int]:
    match = _SPAN.fullmatch(text)
    if match is None:
        return 1, 0  # "none"
    first = int(match[1])
    return first, _MAX if match[2] else int(match[3] or first)


def _within(text: str, version: int) -> bool:
    first, last = _span(text)
    return first <= version <= last


def _api_keys() -> Iterator[ApiKey]:
    for name, schema in _SCHEMAS.items():
        if name.endswith("Request"):
            lowest, highest = _span(schema["versions"])
            first, last = _span(schema["flexible"])
            # A broker offers no version that is still being made (`latestVersionUnstable`).
            highest -= bool(schema.get("unstable"))
            yield ApiKey(
                schema["key"], name.removesuffix("Request"), lowest, highest, first if last else _MAX
            )


KEYS: Final[Mapping[int, ApiKey]] = {api.key: api for api in sorted(_api_keys(), key=lambda one: one.key)}
"""What clients may ask of brokers."""

FLEXIBLE_FROM: Final = {api.key: api.flexible for api in KEYS.values()}
"""The version of each API key from which on its messages have tagged fields."""
