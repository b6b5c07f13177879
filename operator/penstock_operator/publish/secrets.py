"""Finds the values of the Kubernetes Secrets that a snapshot names, to be passed to workers beside it.

What a provider gives is not known here: the runtime asks it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway_runtime.snapshot.references import api_references, credentials, listener_references
from gateway_runtime.snapshot.types import ApiEntry, SecretRef, Snapshot
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.secret import SecretResource

_SCHEME = "kubernetes/"


class SecretValues:
    """Remembers which Secrets each API names, by its entry."""

    __slots__ = ("_named",)

    def __init__(self) -> None:
        self._named: dict[str, tuple[ApiEntry, frozenset[str]]] = {}

    def of(self, resources: Iterable[Parsed], snapshot: Snapshot) -> dict[str, str]:
        """The values of just those Secrets that a snapshot names, by URI; what is no UTF-8 is left out."""
        wanted = self._wanted(snapshot)
        if not wanted:
            return {}
        secrets = {
            parsed.resource.key: parsed.resource
            for parsed in resources
            if isinstance(parsed.resource, SecretResource)
        }
        values = {uri: _value(uri, secrets) for uri in sorted(wanted)}
        return {uri: value for uri, value in values.items() if value is not None}

    def _wanted(self, snapshot: Snapshot) -> set[str]:
        known, kept = self._named, {}
        wanted = _uris(ref for one in snapshot.gateway.secret_providers for ref in credentials(one))
        wanted |= _uris(ref for one in snapshot.gateway.kafka_listeners for ref in listener_references(one))
        for key, entry in snapshot.apis.items():
            named = known.get(key)
            if named is None or named[0] is not entry:
                named = (entry, frozenset(_uris(api_references(entry.section))))
            kept[key] = named
            if named[1]:
                wanted |= named[1]
        self._named = kept
        return wanted


def _uris(references: Iterable[SecretRef]) -> set[str]:
    return {reference.uri for reference in references if reference.uri.startswith(_SCHEME)}


def _value(uri: str, secrets: dict[str, SecretResource]) -> str | None:
    secret, _, key = uri.removeprefix(_SCHEME).partition(":")
    value = secrets[secret].values.get(key) if secret in secrets else None
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
