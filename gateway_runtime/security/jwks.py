"""JSON Web Key Sets at URLs: fetched once for all who wait, kept while the server is away, rotated early.

A set is used until a newer one is there. After the refresh interval the next request starts a look in the
background; a token with an unknown `kid` may start one at most every ten seconds.
"""

from __future__ import annotations

import asyncio
import logging
import urllib.request
from http.client import HTTPException, HTTPMessage
from time import monotonic
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway_runtime.security.keys import KeySet

_LOG: Final = logging.getLogger(__name__)
_TIMEOUT: Final = 5.0
_MAX_BYTES: Final = 1 << 20
_EARLY_SECONDS: Final = 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key set that moves could be anybody's."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class JwksSource:
    """The keys at one URL; `refresh` in seconds."""

    def __init__(self, url: str, refresh: float) -> None:
        self._url = url
        self._refresh = refresh
        self._keys: KeySet | None = None
        self._looked_at: float = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self.version: int = 0
        """Counts the sets that were fetched."""

    def current(self) -> KeySet | None:
        """The keys to use now; starts a look in the background where one is due."""
        if self._keys is not None and monotonic() - self._looked_at > self._refresh:
            self._look()
        return self._keys

    async def fetch(self) -> KeySet | None:
        """The keys after a look, unless the last one is too fresh to look again."""
        running = self._task is not None and not self._task.done()
        if running or monotonic() - self._looked_at > _EARLY_SECONDS:
            await asyncio.shield(self._look())
        return self._keys

    def _look(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._looked_at = monotonic()
            self._task = asyncio.get_running_loop().create_task(self._load())
        return self._task

    async def _load(self) -> None:
        # Only an API with a JWKS pays for the cryptography.
        from gateway_runtime.security.keys import from_jwks  # noqa: PLC0415

        try:
            self._keys = from_jwks(await asyncio.to_thread(_get, self._url))
            self.version += 1
        except (OSError, ValueError, HTTPException) as error:
            _LOG.warning("the key set at %s cannot be had: %s", self._url, error)


class KeySets:
    """The sources of one worker, one for each URL."""

    def __init__(self) -> None:
        self._sources: dict[tuple[str, float], JwksSource] = {}

    def source(self, url: str, refresh: float) -> JwksSource:
        """The keys at a URL."""
        key = (url, refresh)
        if key not in self._sources:
            self._sources[key] = JwksSource(url, refresh)
        return self._sources[key]


def _get(url: str) -> bytes:
    opener = urllib.request.build_opener(_NoRedirect)
    request = urllib.request.Request(url, headers={"accept": "application/json"})  # noqa: S310
    with opener.open(request, timeout=_TIMEOUT) as response:
        document: bytes = response.read(_MAX_BYTES + 1)
    if len(document) > _MAX_BYTES:
        raise ValueError(f"the key set is larger than {_MAX_BYTES} bytes")
    return document
