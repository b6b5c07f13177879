"""The base of the wire types, and how they name a secret."""

from __future__ import annotations

import msgspec


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of the wire types."""


class SecretRef(Wire):
    """Names a secret value; `refresh` is how many seconds old it may get, 0 leaves that to its provider.

    `kubernetes/NAMESPACE/NAME:KEY`, or by the name of a provider of the gateway (`snapshot/providers.py`):
    `vault/PROVIDER/MOUNT/PATH:KEY`, `env/PROVIDER/VARIABLE`, `file/PROVIDER/PATH`, `file/PROVIDER/PATH:KEY`.
    """

    uri: str
    refresh: float = 0.0
