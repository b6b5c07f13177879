"""Scalar types of Kubernetes' own objects: quantities, and numbers that may be percentages."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"
COUNT = r"^[0-9]+%?$"

PORT = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_LAST_PORT = 65535


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _quantity(value: str) -> str:
    if not re.fullmatch(QUANTITY, value):
        raise ValueError("expected a quantity such as 500m, 2, 256Mi or 1Gi")
    return value


def _count(value: int | str) -> int | str:
    if not re.fullmatch(COUNT, str(value)):
        raise ValueError("expected a number such as 1, or a percentage such as 25%")
    return int(value) if str(value).isdigit() else value


def _port(value: int | str) -> int | str:
    number = int(value) if str(value).isdigit() else None
    if number is None and re.fullmatch(PORT, str(value)) and len(str(value)) <= 63:
        return value
    if number is None or not 1 <= number <= _LAST_PORT:
        raise ValueError("expected the number of a port, 1 to 65535, or its name")
    return number


def _int_or_string(pattern: str) -> dict[str, Any]:
    return {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": True,
        "pattern": pattern,
    }


Quantity = Annotated[
    str, BeforeValidator(_text), AfterValidator(_quantity), WithJsonSchema(_int_or_string(QUANTITY))
]
"""An amount of CPU or memory, as Kubernetes writes it."""

Count = Annotated[int | str, AfterValidator(_count), WithJsonSchema(_int_or_string(COUNT))]
"""A number of pods, or a percentage of them."""

Port = Annotated[int | str, AfterValidator(_port), WithJsonSchema(_int_or_string(PORT))]
"""A port of a Service, by number or name."""
