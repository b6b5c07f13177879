"""References to secrets to their values, each read by its exact name and followed.

Values are kept in memory alone. A value that was there once stays while it is referenced, even if its Secret
is deleted or forbidden: what serves goes on serving, and the log tells.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway_runtime.cluster.client import ClusterClient, one_secret
from gateway_runtime.cluster.objects import DataObject
from gateway_runtime.cluster.reflector import Budget, Reflector
from gateway_runtime.snapshot.references import BINARY_PREFIX

_LOG: Final = logging.getLogger(__name__)
_SCHEME: Final = "kubernetes"
_WATCHES: Final = 100
"""Secrets that are watched; those beyond are looked at every half a minute."""
_LISTS: Final = 16

Name = tuple[str, str]
"""Namespace and name of a Secret."""


class FollowedSecret:
    """What is known of one Secret. Never to be logged."""

    def __init__(self, name: Name, changed: Callable[[], None]) -> None:
        self._name = "/".join(name)
        self._changed = changed
        self._listed: bool = False
        self._trouble: str = ""
        self._present: Mapping[str, str] = {}
        self._last: dict[str, str] = {}

    def put(self, found: DataObject) -> None:
        """The Secret as it is now."""
        if found.data != self._present:
            self._present = found.data
            self._last.update(found.data)
            self._changed()

    def remove(self, name: str) -> None:
        """The Secret is gone."""
        if self._present:
            _LOG.warning("Secret %s is gone: its last values are used on", self._name)
            self._present = {}
            self._changed()

    def keep(self, names: set[str]) -> None:
        """Whether the Secret is there is known now."""
        if not names:
            self.remove("")
        if not self._listed:
            self._listed = True
            self._changed()

    def reach(self, version: str) -> None:
        """How far it is known is of no interest."""

    def trouble(self, reason: str) -> None:
        """Why it cannot be followed at present."""
        if reason != self._trouble:
            self._trouble = reason
            self._changed()

    def value(self, key: str) -> str | None:
        """The base64 of a key's value, the last known one where it is not there any more."""
        return self._last.get(key)

    def is_unread(self) -> bool:
        """Whether it was not looked at yet."""
        return not (self._listed or self._trouble)

    def problem(self, key: str) -> str:
        """Why a key has no value; empty where it has."""
        if key in self._last:
            return ""
        if self._trouble:
            reason = self._trouble
        elif self.is_unread():
            reason = "it is being read"
        else:
            reason = f"it has no key {key}" if self._present else "it is not there"
        return f"Secret {self._name}: {reason}"


class Secrets:
    """Follows just those Secrets that are wanted; `changed` is called after each change."""

    def __init__(self, client: ClusterClient, changed: Callable[[], None]) -> None:
        self._client = client
        self._changed = changed
        self._followed: dict[Name, FollowedSecret] = {}
        self._tasks: dict[Name, asyncio.Task[None]] = {}
        self._budget = Budget(_WATCHES, _LISTS)

    def want(self, uris: Iterable[str]) -> None:
        """Follow the Secrets of these URIs and no other."""
        wanted = {parsed[0] for uri in uris if (parsed := parse_uri(uri)) is not None}
        for name in self._followed.keys() - wanted:
            del self._followed[name]
            self._tasks.pop(name).cancel()
        for name in wanted - self._followed.keys():
            followed = self._followed[name] = FollowedSecret(name, self._changed)
            reflector = Reflector(self._client, one_secret(*name), followed, self._budget)
            self._tasks[name] = asyncio.create_task(reflector.run())

    def value(self, uri: str) -> str | None:
        """The value that goes to the workers under a URI; None where there is none."""
        encoded = self._encoded(uri)
        if encoded is None or uri.startswith(BINARY_PREFIX):
            return encoded
        return _text(encoded)

    def is_unread(self, uri: str) -> bool:
        """Whether a secret was not looked at yet."""
        parsed = parse_uri(uri)
        if parsed is None:
            return False
        followed = self._followed.get(parsed[0])
        return followed is None or followed.is_unread()

    def problem(self, uri: str) -> str:
        """What is wrong with a secret, without its value; empty where nothing is."""
        parsed = parse_uri(uri)
        if parsed is None:
            return f"{uri} names no secret of a known provider"
        name, key = parsed
        followed = self._followed.get(name)
        if followed is None:
            return f"Secret {'/'.join(name)}: it is not read yet"
        encoded = followed.value(key)
        if encoded is not None and not uri.startswith(BINARY_PREFIX) and _text(encoded) is None:
            return f"Secret {'/'.join(name)}: the value of {key} is no UTF-8 text"
        return followed.problem(key)

    async def stop(self) -> None:
        """Follow nothing any more."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        self._followed.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _encoded(self, uri: str) -> str | None:
        parsed = parse_uri(uri)
        followed = None if parsed is None else self._followed.get(parsed[0])
        return None if parsed is None or followed is None else followed.value(parsed[1])


def parse_uri(uri: str) -> tuple[Name, str] | None:
    """The Secret and the key of `kubernetes/NAMESPACE/NAME:KEY`; None for anything else."""
    path, colon, key = uri.removeprefix(BINARY_PREFIX).partition(":")
    scheme, _, rest = path.partition("/")
    namespace, slash, name = rest.partition("/")
    if scheme != _SCHEME or not (colon and slash and key and namespace and name) or "/" in name:
        return None
    return (namespace, name), key


def _text(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
