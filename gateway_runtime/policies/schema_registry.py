"""Schemas by their ids, from a registry over HTTP; asked once for all who wait, and kept in bounded memory.

The interface is that of Confluent's Schema Registry:
https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.client import HTTPException
from time import monotonic
from typing import Any, Final

import msgspec

from gateway_runtime.policies.json_schema import schema_validator
from gateway_runtime.security.fetch import StatusError, fetch_document

_MAX_SCHEMAS: Final = 1024
_MAX_LOOKS: Final = 8
_FAILURE_SECONDS: Final = 1.0
_EARLY_SECONDS: Final = 5.0
"""An id that did not fit is looked at again after so long: it may have been registered meanwhile."""

_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Schema:
    """What the registry says of an id. `problem`: why nothing can be checked by it; `is_failure`: no
    answer.
    """

    subjects: frozenset[str]
    validator: Any
    problem: str
    is_failure: bool
    looked_at: float


class _Version(msgspec.Struct):
    subject: str


class _Found(msgspec.Struct, rename="camel"):
    schema: str
    schema_type: str = "AVRO"
    references: list[Any] = []


class SchemaRegistry:
    """One registry; `refresh` says how many seconds an answer is kept."""

    def __init__(
        self, url: str, authorization: str | None, refresh: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._url = url.rstrip("/")
        self._authorization = authorization
        self._refresh = refresh
        self._clock = clock
        self._schemas: OrderedDict[int, Schema] = OrderedDict()
        self._looks: dict[int, asyncio.Task[None]] = {}

    def schema(self, schema_id: int) -> Schema | None:
        """What is known of an id."""
        return self._schemas.get(schema_id)

    def prepare(self, schema_id: int, subject: str) -> Awaitable[None] | None:
        """What has to be waited for before `schema`; None where what is known is good enough."""
        known = self._schemas.get(schema_id)
        if known is not None and self._clock() < known.looked_at + self._patience(known, subject):
            return None
        look = self._looks.get(schema_id)
        if look is None:
            if len(self._looks) >= _MAX_LOOKS:
                return None
            look = self._looks[schema_id] = asyncio.get_running_loop().create_task(self._look(schema_id))
        return asyncio.shield(look)

    def _patience(self, known: Schema, subject: str) -> float:
        if known.is_failure:
            return _FAILURE_SECONDS
        return self._refresh if subject in known.subjects else min(_EARLY_SECONDS, self._refresh)

    async def _look(self, schema_id: int) -> None:
        try:
            self._keep(schema_id, await self._ask(schema_id))
        finally:
            del self._looks[schema_id]

    def _keep(self, schema_id: int, schema: Schema) -> None:
        known = self._schemas.pop(schema_id, None)
        if schema.is_failure and known is not None and not known.is_failure:
            # A schema never changes: what was known serves on while the registry is away.
            schema = Schema(known.subjects, known.validator, known.problem, False, schema.looked_at)
        self._schemas[schema_id] = schema
        if len(self._schemas) > _MAX_SCHEMAS:
            self._schemas.popitem(last=False)

    async def _ask(self, schema_id: int) -> Schema:
        try:
            found = await self._get(f"/schemas/ids/{schema_id}", _Found)
            versions = await self._get(f"/schemas/ids/{schema_id}/versions", list[_Version])
        except StatusError as error:
            if error.status == _NOT_FOUND:
                return Schema(frozenset(), None, "there is no such schema", False, self._clock())
            return self._failed(error)
        except (OSError, ValueError, HTTPException) as error:
            return self._failed(error)
        validator, problem = _validator(found)
        subjects = frozenset(version.subject for version in versions)
        return Schema(subjects, validator, problem, False, self._clock())

    def _failed(self, error: Exception) -> Schema:
        return Schema(frozenset(), None, f"the registry cannot be asked: {error}", True, self._clock())

    async def _get(self, path: str, kind: Any) -> Any:
        document = await fetch_document(self._url + path, authorization=self._authorization)
        return msgspec.json.decode(document, type=kind)


def basic(username: str, password: str) -> str:
    """The credentials of a user (RFC 7617)."""
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def _validator(found: _Found) -> tuple[Any, str]:
    """What checks documents by a JSON Schema, and why there is nothing to check by; None for other kinds."""
    if found.schema_type != "JSON":
        return None, ""
    if found.references:
        return None, "its references to other schemas are not followed"
    try:
        return schema_validator(msgspec.json.decode(found.schema)), ""
    except ValueError as error:
        return None, f"it {error}"
