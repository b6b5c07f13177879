"""Client credentials to tokens that log in to a cluster (RFC 6749 section 4.4), for a worker's connections.

A token is used until shortly before its end, and to its end where no other can be had. Whoever needs one
while it is fetched waits for that; while its server fails it is asked ever less often, at random times.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from http.client import HTTPException
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from gateway_runtime.protocols.kafka.sasl_client import SaslError
from gateway_runtime.security.fetch import ClientForm, fetch_document
from gateway_runtime.security.token import strict_json
from gateway_runtime.snapshot.kafka import OAuthSasl

EARLY_SECONDS: Final = 60.0
"""So long before a token's end another is fetched; of a short life it is a fifth."""

DEFAULT_LIFE: Final = 300.0
"""Seconds, where the server does not say (RFC 6749 section 5.1)."""

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0


class ClusterTokens:
    """The tokens for one cluster; its texts are resolved by now.

    Raises ValueError where the URL is not http or https, or holds credentials.
    """

    def __init__(self, sasl: OAuthSasl, clock: Callable[[], float] = monotonic) -> None:
        parts = urlsplit(sasl.token_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError("the token url is no http or https URL without credentials")
        self._url = sasl.token_url
        self._shown = f"{parts.scheme}://{parts.netloc}"
        scope = {} if sasl.scope is None else {"scope": sasl.scope}
        fields = {"grant_type": "client_credentials", **scope}
        self._form = ClientForm(sasl.client_id, sasl.client_secret, fields)
        self._clock = clock
        self._token = ""
        self._ends_at: float = float("-inf")
        self._renew_at: float = float("-inf")
        self._ask_at: float = float("-inf")
        self._failures = 0
        self._failure = ""
        self._task: asyncio.Task[None] | None = None

    async def token(self) -> str:
        """A token to use now. Raises SaslError where there is none."""
        now = self._clock()
        if now >= self._renew_at and now >= self._ask_at:
            await asyncio.shield(self._fetching())
        if self._clock() >= self._ends_at:
            raise SaslError(self._failure)
        return self._token

    def _fetching(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._fetch())
        return self._task

    async def _fetch(self) -> None:
        try:
            document = await fetch_document(self._url, form=self._form)
        except ValueError as error:
            self._fail(str(error))
        except (OSError, HTTPException) as error:
            self._fail(type(error).__name__)
        else:
            self._take(document)

    def _take(self, document: bytes) -> None:
        try:
            token, life = _token_and_life(document)
        except ValueError:  # its text might quote the token
            self._fail("the answer is no token response")
            return
        now = self._clock()
        self._token, self._ends_at, self._failures = token, now + life, 0
        self._renew_at = self._ends_at - min(EARLY_SECONDS, life / 5)

    def _fail(self, reason: str) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures, 10))
        self._failures += 1
        self._ask_at = self._clock() + pause * random.uniform(0.5, 1.0)  # noqa: S311 - only spreads
        self._failure = f"no token from {self._shown}: {reason}"


def _token_and_life(document: bytes) -> tuple[str, float]:
    """Raises ValueError where it is no answer of RFC 6749 section 5.1 with a bearer token."""
    members = strict_json(document)
    if not isinstance(members, dict):
        raise ValueError("no object")
    token, kind = members.get("access_token"), members.get("token_type")
    life = members.get("expires_in", DEFAULT_LIFE)
    if not isinstance(token, str) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise ValueError("no bearer token")
    if isinstance(life, bool) or not isinstance(life, int | float) or not 0 < life < 1e12:
        raise ValueError("no lifetime")
    return token, float(life)
