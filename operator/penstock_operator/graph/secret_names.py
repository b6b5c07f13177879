"""Turns what an expression gives to `secrets.get` into what it names.

`NAME` is a GatewaySecret, `/kubernetes/NAME:KEY` a key of a Secret, `/PROVIDER/PATH:KEY` a value of one of
the gateway's providers. Nothing is decoded, and no segment begins with a dot: one secret has one name alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway_runtime.snapshot.wire import SecretRef
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.gateway_secret import Source
from penstock_operator.resources.secret_provider import SEGMENT, ProviderType

KUBERNETES: Final = "kubernetes"
EXAMPLES: Final[dict[str, str]] = {
    KUBERNETES: "/kubernetes/NAME:KEY",
    "vault": "/vault/MOUNT/PATH:KEY",
    "env": "/env/VARIABLE",
    "file": "/file/PATH or /file/PATH:KEY",
}
_LONGEST: Final = 1400
_PROVIDER: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_SECRET: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)
_PATH: Final = re.compile(rf"{SEGMENT}(?:/{SEGMENT})*", re.ASCII)
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class SecretNameError(ValueError):
    """A name that names no secret; the message says what to write."""


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """A key of a Secret of the API's namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """A value of a provider: an empty `key` is the whole, `type` what the provider must be, if said."""

    provider: str
    path: str
    key: str = ""
    type: ProviderType | None = None

    def uri(self, provider: str, type_: ProviderType) -> str:
        """How the wire types name it, once the provider is known."""
        return f"{type_}/{provider}/{self.path}" + (f":{self.key}" if self.key else "")


@dataclass(frozen=True, slots=True)
class Provided:
    """A use of a provider's value: `name` as it is written, `path` the field, `refresh` in seconds."""

    name: str
    path: FieldPath
    entry: ProviderEntry
    refresh: float = 0.0

    def reference(self, provider: str, type_: ProviderType) -> SecretRef:
        """How the wire types name it, once the provider is known."""
        uri = self.entry.uri(provider, type_)
        return SecretRef(uri=uri, refresh=self.refresh) if self.refresh else SecretRef(uri=uri)


def read_name(name: str) -> SecretEntry | ProviderEntry:
    """What a name that begins with a slash stands for. Raises SecretNameError where that is nothing."""
    provider, slash, rest = name.removeprefix("/").partition("/")
    path, colon, key = rest.partition(":")
    if len(name) > _LONGEST or not slash or not _PROVIDER.fullmatch(provider):
        raise SecretNameError(_wrong(name, "vault"))
    if provider == KUBERNETES:
        if not _SECRET.fullmatch(path) or not _KEY.fullmatch(key):
            raise SecretNameError(_wrong(name, KUBERNETES))
        return SecretEntry(path, key)
    if not _PATH.fullmatch(path) or bool(colon) != bool(key) or (key and not _KEY.fullmatch(key)):
        raise SecretNameError(_wrong(name, provider))
    entry = ProviderEntry(provider, path, key)
    if provider in ("vault", "env", "file"):
        check_shape(entry, provider)
    return entry


def secret_of(name: str) -> str:
    """The name of the Secret that a name reads; empty where it reads none."""
    try:
        entry = read_name(name)
    except SecretNameError:
        return ""
    return entry.name if isinstance(entry, SecretEntry) else ""


def entry_of(source: Source) -> ProviderEntry | None:
    """What a GatewaySecret names; None where it is a key of a Secret."""
    if source.vault is not None:
        return ProviderEntry(source.vault.provider, source.vault.path, source.vault.key, "vault")
    if source.env is not None:
        return ProviderEntry(source.env.provider, source.env.variable, type="env")
    if source.file is not None:
        return ProviderEntry(source.file.provider, source.file.path, source.file.key or "", "file")
    return None


def check_shape(entry: ProviderEntry, type_: str) -> None:
    """Raises SecretNameError where a provider of a type has no such values."""
    is_right = {
        "vault": "/" in entry.path and entry.key != "",
        "env": entry.key == "" and _VARIABLE.fullmatch(entry.path) is not None,
        "file": True,
    }
    if not is_right[type_]:
        shown = f"/{entry.provider}/{entry.path}" + (f":{entry.key}" if entry.key else "")
        raise SecretNameError(_wrong(shown, type_, entry.provider))


def _wrong(name: str, type_: str, provider: str | None = None) -> str:
    example = EXAMPLES.get(type_, f"/{type_}/PATH:KEY")
    if provider is not None:
        example = example.replace(f"/{type_}/", f"/{provider}/")
    return f"`{name[:200]}` names no secret; write {example}"
