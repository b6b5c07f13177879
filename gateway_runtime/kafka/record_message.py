"""A record to what steps and expressions see of it, and their changes back into the record."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from gateway_runtime.protocols.kafka.records import RecordBatch
from gateway_runtime.protocols.kafka.records_record import Record

_ERRORS: Final = "surrogateescape"
_SCHEMA_MAGIC: Final = b"\x00"
SCHEMA_PREFIX: Final = 5
"""Bytes before the payload in the wire format of schema registries: a zero and the schema's id."""

MAX_JSON: Final = 8 << 20
"""Larger values are not taken for JSON: as objects they would be many times as large."""


class RecordMessage:
    """One record of a partition. `offset` is None while it is published: the broker gives it."""

    __slots__ = ("_batch", "_content", "_is_parsed", "_record", "is_published", "partition", "topic")

    def __init__(self, topic: str, partition: int, batch: RecordBatch, is_published: bool) -> None:
        self.topic = topic
        self.partition = partition
        self.is_published = is_published
        self._batch = batch
        self._record = Record(None, None, [])
        self._content: Any = None
        self._is_parsed: bool = False

    def turn_to(self, record: Record) -> None:
        """Show this record of the same batch now."""
        self._record = record
        self._is_parsed = False

    @property
    def raw_key(self) -> bytes | None:
        """The key as it is."""
        return self._record.key

    @property
    def raw_value(self) -> bytes | None:
        """The value as it is; None is a tombstone."""
        return self._record.value

    @property
    def offset(self) -> int | None:
        """Where it is in its partition."""
        return None if self.is_published else self._batch.base_offset + self._record.offset_delta

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""
        return self._batch.timestamp_of(self._record)

    @property
    def key(self) -> str | None:
        """The key as text."""
        return _text(self._record.key)

    @property
    def value(self) -> str | None:
        """The value as text."""
        return _text(self._record.value)

    @property
    def headers(self) -> dict[str, str | None]:
        """The headers as text, of those with one name the last."""
        return {name: _text(value) for name, value in self._record.headers}

    @property
    def content(self) -> Any:
        """The value as JSON, behind a schema's id where it has one; None where it is none or too large."""
        if not self._is_parsed:
            self._content = _parsed(self._record.value)
            self._is_parsed = True
        return self._content

    def set_key(self, text: str) -> None:
        """Give it another key."""
        self._record.key = text.encode(errors=_ERRORS)
        self._record.changed()

    def set_value(self, text: str) -> None:
        """Give it another value."""
        self._record.value = text.encode(errors=_ERRORS)
        self._record.changed()
        self._is_parsed = False

    def remove_headers(self, names: Iterable[str]) -> None:
        """Take out all headers of these names."""
        gone = frozenset(names)
        kept = [header for header in self._record.headers if header[0] not in gone]
        if len(kept) < len(self._record.headers):
            self._record.headers = kept
            self._record.changed()

    def add_header(self, name: str, text: str) -> None:
        """Put a header behind the others."""
        self._record.headers.append((name, text.encode(errors=_ERRORS)))
        self._record.changed()


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors=_ERRORS)


def _parsed(value: bytes | None) -> Any:
    if value is None or len(value) > MAX_JSON:
        return None
    try:
        # No JSON begins with a zero, so that nothing else is taken for a schema's id.
        return json.loads(value[SCHEMA_PREFIX:] if value.startswith(_SCHEMA_MAGIC) else value)
    except (ValueError, RecursionError):
        return None
