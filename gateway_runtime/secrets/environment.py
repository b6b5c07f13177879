"""Environment variables of this process, as secrets; they never change."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import NoReturn

from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes
from gateway_runtime.snapshot.providers import EnvProvider


class Environment:
    """Each variable is a document of one value."""

    def __init__(self, provider: EnvProvider, variables: Mapping[bytes, bytes] = os.environb) -> None:
        self._prefix = provider.prefix
        self._variables = variables

    def describe(self, path: str) -> str:
        """The variable's name."""
        return f"environment variable {self._prefix}{path}"

    async def follow(self, path: str, refresh: float, document: Document) -> NoReturn:
        """Tell of a variable once."""
        value = self._variables.get((self._prefix + path).encode())
        if value is None:
            document.gone()
        else:
            document.put({"": SecretBytes(value)})
            document.live()
        while True:
            await asyncio.Event().wait()

    def retry(self) -> None:
        """Nothing here needs a credential."""

    async def close(self) -> None:
        """Nothing is held."""
