"""Paths of Vault -> documents: key-value engines (1 and 2), and engines that make values at a read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NoReturn

import hvac
from hvac.exceptions import InvalidPath, VaultError

from gateway_runtime.secrets.clock import Clock
from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.polling import Lease, Pace, Poller, Resolved
from gateway_runtime.secrets.provider import ProviderError
from gateway_runtime.secrets.values import values_of
from gateway_runtime.secrets.vault.login import Credentials
from gateway_runtime.secrets.vault.session import VaultSession, reason
from gateway_runtime.snapshot.providers import VaultProvider

_SHORTEST: Final = 1.0
"""Seconds between two reads of a document at least, whatever a reference says."""


@dataclass(frozen=True, slots=True)
class _Mount:
    """Where an engine is mounted, and which it is: 1 or 2 for key-value engines, 0 for any other."""

    path: str
    version: int


class Vault:
    """One Vault by one login."""

    def __init__(self, provider: VaultProvider, credentials: Credentials, clock: Clock) -> None:
        self._provider = provider
        self._session = VaultSession(provider, credentials, clock)
        self._poller = Poller(self._resolve, self._renew, clock)

    def describe(self, path: str) -> str:
        """Provider and path."""
        return f"{path} of {self._provider.name}"

    async def follow(self, path: str, refresh: float, document: Document) -> NoReturn:
        """Read a path again and again."""
        seconds = max(_SHORTEST, refresh or self._provider.refresh)
        await self._poller.follow(path, Pace(seconds, self._provider.max_age), document)

    def retry(self) -> None:
        """Log in by the credential as it is now."""
        self._session.forget()
        self._poller.retry()

    async def close(self) -> None:
        """Give the token back."""
        await self._session.close()

    async def _resolve(self, path: str) -> Resolved:
        try:
            return await self._session.call(lambda client: _read(client, path, self._provider.kv_version))
        except InvalidPath:
            return Resolved(None)
        except VaultError as error:
            raise ProviderError(f"Vault refuses to read it: {reason(error)}") from None

    async def _renew(self, lease: Lease) -> Lease:
        try:
            renewed = await self._session.call(lambda client: client.sys.renew_lease(lease.id))
        except VaultError as error:
            raise ProviderError(reason(error)) from None
        return Lease(float(renewed["lease_duration"]), renewed["lease_id"])


def _read(client: hvac.Client, path: str, version: int) -> Resolved:
    mount = _Mount(path.partition("/")[0], version) if version else _mount(client, path)
    rest = path.removeprefix(mount.path).strip("/")
    if mount.version == 2:
        return Resolved(values_of(_newest(client, mount.path, rest)))
    answer = client.read(path)
    if answer is None:
        return Resolved(None)
    return Resolved(values_of(answer["data"] or {}), _lease(answer, mount))


def _newest(client: hvac.Client, mount: str, path: str) -> dict[str, Any]:
    answer = client.secrets.kv.v2.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)
    data: dict[str, Any] = answer["data"]["data"] or {}
    return data


def _mount(client: hvac.Client, path: str) -> _Mount:
    """What Vault tells of a path to whoever may do anything below its mount."""
    found = client.adapter.get(f"/v1/sys/internal/ui/mounts/{path}")["data"]
    if found["type"] not in ("kv", "generic"):
        return _Mount(found["path"], 0)
    return _Mount(found["path"].strip("/"), int((found["options"] or {}).get("version") or 1))


def _lease(answer: dict[str, Any], mount: _Mount) -> Lease | None:
    """Key-value engines of version 1 tell the engine's default time, which binds nobody."""
    seconds = float(answer["lease_duration"] or 0)
    if mount.version or not seconds:
        return None
    return Lease(seconds, answer["lease_id"] if answer["renewable"] else "")
