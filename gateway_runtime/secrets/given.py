"""Secrets that come with the manifests of a folder, in the place of those of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NoReturn

from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes
from gateway_runtime.secrets.locator import KUBERNETES, locate


class GivenSecrets:
    """Values by URI, as they were given last."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, SecretBytes]] = {}
        self._documents: dict[str, Document] = {}

    def give(self, secrets: Mapping[str, str]) -> None:
        """All values as they are now."""
        self._values = {}
        for uri, value in secrets.items():
            locator = locate(uri)
            if locator is not None and locator.provider[0] == KUBERNETES:
                values = self._values.setdefault(locator.path, {})
                values[locator.key] = SecretBytes(value.encode())
        for path in self._documents:
            self._tell(path)

    def describe(self, path: str) -> str:
        """Namespace and name of the Secret."""
        return f"Secret {path}"

    async def follow(self, path: str, refresh: float, document: Document) -> NoReturn:
        """Tell of a Secret whenever values are given."""
        self._documents[path] = document
        try:
            self._tell(path)
            while True:
                await asyncio.Event().wait()
        finally:
            if self._documents.get(path) is document:
                del self._documents[path]

    def _tell(self, path: str) -> None:
        values = self._values.get(path)
        if values is None:
            self._documents[path].gone()
        else:
            self._documents[path].put(values)
            self._documents[path].live()

    def retry(self) -> None:
        """Nothing here needs a credential."""

    async def close(self) -> None:
        """Nothing is held."""
