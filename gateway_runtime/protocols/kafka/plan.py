"""How the fields of one struct follow each other on the wire, at one version: what the codec runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

BOOL: Final = 0
INT8: Final = 1
INT16: Final = 2
UINT16: Final = 3
INT32: Final = 4
UINT32: Final = 5
INT64: Final = 6
FLOAT64: Final = 7
UUID: Final = 8
STRING: Final = 9
COMPACT_STRING: Final = 10
BYTES: Final = 11
COMPACT_BYTES: Final = 12
STRUCT: Final = 13
NULLABLE_STRUCT: Final = 14
ARRAY: Final = 15
COMPACT_ARRAY: Final = 16


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field: its kind, for arrays that of the elements (`element`), for structs their plan.

    `empty` is what an encoder writes where nothing is given; a mutable one is never changed. `tag` is -1 for
    a field in order.
    """

    name: str
    kind: int
    is_nullable: bool
    empty: Any
    element: int
    struct: Plan | None
    tag: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The fields of a struct in order, then those behind tags (KIP-482), where the version has tags."""

    fields: tuple[FieldPlan, ...]
    tagged: tuple[FieldPlan, ...]
    is_flexible: bool
