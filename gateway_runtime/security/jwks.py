"""JSON Web Key Sets at URLs: fetched once for all who wait, kept while the server is away, rotated early.

A set is used until a newer one is there. After the refresh interval the next request starts a look in the
background; a token with an unknown `kid` may start one at most every ten seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from gateway_runtime.security.keys import KeySet

_LOG: Final = logging.getLogger(__name__)
EARLY_SECONDS: Final = 10.0
"""Between two looks for an unknown key, and until a failed look is repeated."""

FIRST_SECONDS: Final = 1.0
"""Between two looks while there are no keys at all."""


class JwksSource:
    """The keys at one URL; `refresh` in seconds, by a clock that never goes back.

    Raises ValueError where the URL is not http or https, or holds credentials.
    """

    def __init__(self, url: str, refresh: float, clock: Callable[[], float] = monotonic) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError("the url of the key set is no http or https URL without credentials")
        self._url = url
        self._shown = f"{parts.scheme}://{parts.netloc}"
        self._refresh = refresh
        self._clock = clock
        self._keys: KeySet | None = None
        self._digest = b""
        self._look_at: float = 0.0
        self._looked_at: float = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self.version: int = 0
        """Counts the different sets that were fetched."""

    def current(self) -> KeySet | None:
        """The keys to use now; starts a look in the background where one is due."""
        if self._keys is not None and self._clock() >= self._look_at:
            self._look()
        return self._keys

    async def fetch(self) -> KeySet | None:
        """The keys after a look, unless the last one is too fresh to look again."""
        running = self._task is not None and not self._task.done()
        pause = FIRST_SECONDS if self._keys is None else EARLY_SECONDS
        if running or self._clock() - self._looked_at >= pause:
            await asyncio.shield(self._look())
        return self._keys

    def _look(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._looked_at = self._clock()
            self._task = asyncio.get_running_loop().create_task(self._load())
        return self._task

    async def _load(self) -> None:
        try:
            await self._replace()
            self._look_at = self._clock() + self._refresh
        except Exception as error:  # whatever is wrong there, the last good set goes on
            self._look_at = self._clock() + min(self._refresh, EARLY_SECONDS)
            _LOG.warning("the key set at %s cannot be had: %s: %s", self._shown, type(error).__name__, error)

    async def _replace(self) -> None:
        # Only a worker with such a plan pays for HTTP and the cryptography (14 MiB).
        from gateway_runtime.security.fetch import fetch_document  # noqa: PLC0415
        from gateway_runtime.security.keys import from_jwks  # noqa: PLC0415

        document = await fetch_document(self._url)
        digest = sha256(document).digest()
        if digest != self._digest:
            self._keys, self._digest = from_jwks(document), digest
            self.version += 1


class KeySets:
    """The sources of one worker, one for each URL and interval, for as long as a plan uses it."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._sources: WeakValueDictionary[tuple[str, float], JwksSource] = WeakValueDictionary()

    def source(self, url: str, refresh: float) -> JwksSource:
        """The keys at a URL."""
        key = (url, refresh)
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = JwksSource(url, refresh, self._clock)
        return source
