"""The URI of a secret -> which provider has it, in which document, under which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway_runtime.snapshot.references import BINARY_PREFIX

KUBERNETES: Final = "kubernetes"
_NAMED: Final = frozenset(("vault", "env", "file"))

ProviderId = tuple[str, str]
"""Type and name of a provider; Kubernetes has no name."""


@dataclass(frozen=True, slots=True)
class Locator:
    """Where a value is; an empty key means the whole document."""

    provider: ProviderId
    path: str
    key: str


def locate(uri: str) -> Locator | None:
    """What a URI of the wire (`SecretRef`) names; None for anything else."""
    kind, _, rest = uri.removeprefix(BINARY_PREFIX).partition("/")
    if kind == KUBERNETES:
        return _keyed((KUBERNETES, ""), rest)
    name, _, rest = rest.partition("/")
    if kind not in _NAMED or not name:
        return None
    if kind == "vault":
        return _keyed((kind, name), rest)
    path, _, key = (rest, "", "") if kind == "env" else rest.partition(":")
    return Locator((kind, name), path, key) if path else None


def _keyed(provider: ProviderId, rest: str) -> Locator | None:
    path, _, key = rest.partition(":")
    parts = path.split("/")
    if not key or len(parts) < 2 or "" in parts or (provider[0] == KUBERNETES and len(parts) > 2):
        return None
    return Locator(provider, path, key)
