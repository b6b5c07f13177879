"""Finds the values of the Kubernetes Secrets that a snapshot names, to be passed to workers beside it.

What a provider gives is not known here: the runtime asks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway_runtime.snapshot.references import api_references, credentials
from gateway_runtime.snapshot.types import SecretRef, Snapshot
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.secret import SecretResource

_SCHEME = "kubernetes/"


def secret_values(resources: Iterable[Parsed], snapshot: Snapshot) -> dict[str, str]:
    """The values of just those Secrets that a snapshot names, by URI; what is no UTF-8 is left out."""
    wanted = {ref.uri for ref in _references(snapshot) if ref.uri.startswith(_SCHEME)}
    if not wanted:
        return {}
    secrets = {
        parsed.resource.key: parsed.resource
        for parsed in resources
        if isinstance(parsed.resource, SecretResource)
    }
    values = {uri: _value(uri, secrets) for uri in sorted(wanted)}
    return {uri: value for uri, value in values.items() if value is not None}


def _references(snapshot: Snapshot) -> Iterator[SecretRef]:
    for provider in snapshot.gateway.secret_providers:
        yield from credentials(provider)
    for entry in snapshot.apis.values():
        yield from api_references(entry.section)


def _value(uri: str, secrets: dict[str, SecretResource]) -> str | None:
    secret, _, key = uri.removeprefix(_SCHEME).partition(":")
    value = secrets[secret].values.get(key) if secret in secrets else None
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
