"""Files below a folder, as secrets, followed as they change.

A file is read whole; where it is a JSON object, its members are values too. A folder that is replaced by a
symbolic link, as Kubernetes does with what it mounts, is seen as well: the folder above is looked at.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, NoReturn

import msgspec
from watchfiles import awatch

from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes
from gateway_runtime.secrets.provider import ProviderError
from gateway_runtime.secrets.values import values_of
from gateway_runtime.snapshot.providers import FileProvider

_MAX_BYTES: Final = 1 << 20
_DEBOUNCE: Final = 50
_STEP: Final = 25
_LOOK: Final = 1000
"""Milliseconds: changes come together where they come close, and a look without one."""
_AWAY: Final = 1.0
"""Seconds before a folder that is not there is looked for again."""


class Files:
    """Each file is a document."""

    def __init__(self, provider: FileProvider) -> None:
        self._root = Path(provider.folder)
        self._name = provider.name

    def describe(self, path: str) -> str:
        """The file's name below the folder."""
        return f"file {path} of {self._name}"

    async def follow(self, path: str, refresh: float, document: Document) -> NoReturn:
        """Tell of a file and of each change."""
        while True:
            await self._look(path, document)
            try:
                await self._watch(path, document)
            except FileNotFoundError:
                document.trouble("its folder is not there")
                await asyncio.sleep(_AWAY)

    async def _watch(self, path: str, document: Document) -> None:
        folder = (self._root / path).parent
        changes = awatch(
            folder, watch_filter=None, debounce=_DEBOUNCE, step=_STEP, rust_timeout=_LOOK,
            yield_on_timeout=True, recursive=False,
        )  # fmt: skip
        async for _ in changes:
            await self._look(path, document)

    async def _look(self, path: str, document: Document) -> None:
        try:
            content = await asyncio.to_thread(self._read, path)
        except FileNotFoundError:
            document.trouble("")
            document.gone()
        except (OSError, ProviderError) as error:
            text = error.strerror if isinstance(error, OSError) else str(error)
            document.trouble(text or "it cannot be read")
        else:
            document.put({**_members(content), "": SecretBytes(_cut(content))})
            document.live()

    def _read(self, path: str) -> bytes:
        whole = (self._root / path).resolve()
        if not whole.is_relative_to(self._root.resolve()):
            raise ProviderError("it is not in the folder of its provider")
        with whole.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ProviderError(f"it is larger than {_MAX_BYTES} bytes")
        return content

    def retry(self) -> None:
        """Nothing here needs a credential."""

    async def close(self) -> None:
        """Nothing is held."""


def _cut(content: bytes) -> bytes:
    """One newline at the end is the editor's."""
    return content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content


def _members(content: bytes) -> dict[str, SecretBytes]:
    if not content.lstrip().startswith(b"{"):
        return {}
    try:
        return values_of(msgspec.json.decode(content))
    except msgspec.DecodeError:
        return {}
