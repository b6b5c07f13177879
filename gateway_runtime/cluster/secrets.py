"""Secrets of the cluster, each read by its exact name and followed: the provider `kubernetes`."""

from __future__ import annotations

import base64
from typing import Final, NoReturn

from gateway_runtime.cluster.client import ClusterClient, one_secret
from gateway_runtime.cluster.objects import DataObject
from gateway_runtime.cluster.reflector import Budget, Reflector
from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes

_WATCHES: Final = 100
"""Secrets that are watched; those beyond are looked at every half a minute."""
_LISTS: Final = 16


class KubernetesSecrets:
    """Each Secret is a document; its path is `NAMESPACE/NAME`."""

    def __init__(self, client: ClusterClient, budget: Budget | None = None) -> None:
        self._client = client
        self._budget = budget or Budget(_WATCHES, _LISTS)

    def describe(self, path: str) -> str:
        """Namespace and name."""
        return f"Secret {path}"

    async def follow(self, path: str, refresh: float, document: Document) -> NoReturn:
        """Tell of a Secret and of each change."""
        namespace, _, name = path.partition("/")
        secret = one_secret(namespace, name)
        await Reflector(self._client, secret, _Told(document), self._budget).run()

    def retry(self) -> None:
        """The pod is who it is."""

    async def close(self) -> None:
        """The client is not ours."""


class _Told:
    """A document, as a reflector tells of it."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def put(self, found: DataObject) -> None:
        """The Secret as it is now."""
        values = {key: SecretBytes(base64.b64decode(value)) for key, value in found.data.items()}
        self._document.put(values)

    def remove(self, name: str) -> None:
        """The Secret is gone."""
        self._document.gone()

    def keep(self, names: set[str]) -> None:
        """Whether the Secret is there is known now."""
        if not names:
            self._document.gone()

    def reach(self, version: str) -> None:
        """How far it is known is of no interest."""

    def trouble(self, reason: str) -> None:
        """Why it cannot be followed at present; empty where it can."""
        if reason:
            self._document.trouble(reason)
        else:
            self._document.live()
