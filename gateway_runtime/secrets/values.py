"""A JSON object -> values by key: texts as they are, other values as their JSON, null as none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway_runtime.secrets.hidden import SecretBytes


def values_of(members: Mapping[str, Any]) -> dict[str, SecretBytes]:
    """The values of an object's members."""
    return {key: SecretBytes(_bytes(value)) for key, value in members.items() if value is not None}


def _bytes(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)
