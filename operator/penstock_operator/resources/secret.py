"""Turns a core `Secret` into its values and what the operator has noted on it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock_operator.manifests.nodes import PathPart
from penstock_operator.resources.explain import Finding
from penstock_operator.resources.meta import GROUP, ObjectMeta

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "penstock"
"""The value of that label on all objects that the operator makes."""


@dataclass(frozen=True, slots=True)
class SecretResource:
    """A Secret; the values are in memory only and never part of a repr.

    `annotations` are those of Penstock alone: those of kubectl may repeat the values. `is_managed` tells
    that the operator has made the Secret.
    """

    namespace: str
    name: str
    values: Mapping[str, bytes] = field(repr=False)
    annotations: Mapping[str, str] = field(default_factory=dict)
    is_managed: bool = False

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


def secret_resource(metadata: ObjectMeta, values: Mapping[str, bytes]) -> SecretResource:
    """The Secret of its metadata and values."""
    ours = {name: value for name, value in metadata.annotations.items() if name.startswith(f"{GROUP}/")}
    is_managed = metadata.labels.get(MANAGED_BY) == MANAGER
    return SecretResource(metadata.namespace, metadata.name, values, ours, is_managed)


def secret_values(data: Mapping[str, Any]) -> tuple[dict[str, bytes], list[Finding]]:
    """The values of a Secret, and what is wrong with it; a key of `stringData` replaces that of `data`."""
    values: dict[str, bytes] = {}
    findings: list[Finding] = []
    for part, decode in (("data", _from_base64), ("stringData", str.encode)):
        for path, value in _entries(data, part, findings):
            try:
                values[str(path[-1])] = decode(value)
            except (binascii.Error, ValueError):
                findings.append(Finding(path, "not base64; text can be written under stringData", "Invalid"))
    return values, findings


def _entries(
    data: Mapping[str, Any], part: str, findings: list[Finding]
) -> Iterator[tuple[tuple[PathPart, ...], str]]:
    entries = data.get(part) or {}
    if not isinstance(entries, dict):
        findings.append(Finding((part,), "expected a mapping of keys to values", "Invalid"))
        return
    for key, value in entries.items():
        if isinstance(value, str):
            yield (part, key), value
        else:
            findings.append(Finding((part, key), "expected a string; put the value in quotes", "Invalid"))


def _from_base64(value: str) -> bytes:
    return base64.b64decode("".join(value.split()), validate=True)
