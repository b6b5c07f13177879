"""Scalar types that the configuration models of policies and the CRDs share.

They turn the strings that users write (`10s`, `8Ki`, `{#request.path}`) into numbers and checked
strings, and carry their own JSON schema so that the API server refuses what the runtime would.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, ClassVar, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gateway_runtime.expressions.scan import START

_DURATION = re.compile(r"(?:[0-9]{1,9}(?:ms|s|m|h|d))+")
_DURATION_PART = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"([0-9]{1,15})(Ki|Mi|Gi|k|M|G)?")
_ADDRESS_RANGE = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?")
_NO_HEADER_TEXT = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


NOTE: Final = "x-penstock-note"
"""The key of a schema under which a marker leaves what is to be added to the description."""


class StrictModel(BaseModel):
    """A frozen model with camelCase names that refuses unknown fields."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False, strict=True
    )


def parse_duration(value: object) -> object:
    """Seconds of a duration such as `1h30m` or `250ms`; numbers pass unchanged.

    Raises ValueError for any other text.
    """
    if not isinstance(value, str):
        return value
    if not _DURATION.fullmatch(value):
        raise ValueError("expected a duration such as 250ms, 10s, 5m, 1h or 30d")
    return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(value))


def parse_size(value: object) -> object:
    """Bytes of a size such as `8Ki` or `10M`; numbers pass unchanged.

    Raises ValueError for any other text.
    """
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError("expected a size such as 512, 8Ki, 1Mi or 2G")
    return int(match[1]) * _BYTES[match[2] or ""]


def _written_duration(value: object, info: ValidationInfo) -> object:
    """A duration; in a manifest (context `manifest`) a bare number is refused, as the API server does."""
    if info.context and info.context.get("manifest") and not isinstance(value, str):
        raise ValueError(f"expected a duration such as 250ms, 10s, 5m, 1h or 30d, found `{value}`")
    return parse_duration(value)


def _network(value: str) -> str:
    """An address or a CIDR range; netmasks and zones, which `ipaddress` takes too, are none."""
    try:
        if _ADDRESS_RANGE.fullmatch(value) is None:
            raise ValueError(value)
        ipaddress.ip_network(value, strict=False)
    except ValueError as error:
        raise ValueError(
            f"expected an IP address or a CIDR range such as 10.0.0.0/8 or 2001:db8::/32, found `{value}`"
        ) from error
    return value


Duration = Annotated[
    float,
    BeforeValidator(_written_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"}),
]
"""A length of time, written `10s`; held in seconds."""

Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": "^[0-9]{1,15}(Ki|Mi|Gi|k|M|G)?$",
        }
    ),
]
"""A number of bytes, written `8Ki`; held in bytes."""


class Marker:
    """Marks a string field in which expressions mean something; `note` tells that in its schema."""

    note: ClassVar[str]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The field's own schema, with the note."""
        return {**handler(schema), NOTE: self.note}


class ExpressionMarker(Marker):
    """Marks a string field whose `{#...}` expressions are evaluated."""

    note = "Expressions are evaluated."


class SettingMarker(Marker):
    """Marks a string field whose `{#...}` expressions are evaluated once, at load: secrets alone."""

    note = "Expressions with secrets are evaluated, at load."


class ConditionMarker(Marker):
    """Marks a string field that is one expression, taken as a truth value."""

    note = "Written as one `{#...}`."


Template = Annotated[str, ExpressionMarker()]
"""A string that may hold `{#...}` expressions."""

Setting = Annotated[str, SettingMarker()]
"""A string that may hold `{#secrets.get(...)}`, and is needed before any request is there."""

Condition = Annotated[str, ConditionMarker()]
"""One `{#...}` expression, taken as true or false."""

Network = Annotated[str, AfterValidator(_network)]
"""An IP address or a CIDR range."""

HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$", max_length=256)]
"""A field name (RFC 9110 section 5.1)."""

_CONNECTION_FIELDS = frozenset(
    ("connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip


def _not_of_connection(name: str) -> str:
    if name.lower() in _CONNECTION_FIELDS:
        raise ValueError(f"{name} belongs to the connection; the gateway sets it")
    return name


def _header_text(text: str) -> str:
    """A value that can go on the wire as far as it is known; what expressions give is checked as it comes."""
    if START not in text and _NO_HEADER_TEXT.search(text):
        raise ValueError(
            "a header value holds no control characters, line breaks or characters beyond ISO-8859-1"
        )
    return text


EndToEndHeaderName = Annotated[HeaderName, AfterValidator(_not_of_connection)]
"""The name of a field that may be changed: not one that frames the message or belongs to the connection."""

HeaderTemplate = Annotated[str, ExpressionMarker(), AfterValidator(_header_text)]
"""A field value (RFC 9110 section 5.5) that may hold `{#...}` expressions."""

StatusCode = Annotated[int, Field(ge=200, le=599)]
"""A final HTTP status code."""
