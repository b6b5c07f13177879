"""The interface of secret providers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, Protocol

from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretText

Lookup = Callable[[str], SecretText | None]
"""The value of a credential by its URI."""


class Provider(Protocol):
    """Has documents of secrets. All documents in use are followed, each by one call however many use it."""

    def describe(self, path: str) -> str:
        """What a document is called in messages."""
        ...

    async def follow(self, path: str, refresh: float, document: Document) -> NoReturn:
        """Tell of a document and its changes for ever; `refresh`: how old it may get, 0: by the provider."""
        ...

    def retry(self) -> None:
        """A credential has changed: what failed may work now."""
        ...

    async def close(self) -> None:
        """Let go of connections and sessions; no document is followed any more."""
        ...


class ProviderError(Exception):
    """Why a document cannot be had, in words that hold no value."""
