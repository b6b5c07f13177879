"""Tokens to what their issuer says of them (RFC 7662): asked once for all who wait, believed for a while.

Only what the issuer calls active is remembered, so that made-up tokens push nothing out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from gateway_runtime.exchange import Reply
from gateway_runtime.security.fetch import ClientForm, fetch_document
from gateway_runtime.security.token import strict_json
from gateway_runtime.security.verified import VerifiedTokens
from gateway_runtime.snapshot.types import OAuth2Security

_LOG: Final = logging.getLogger(__name__)
MAX_TOKEN: Final = 16384
MAX_ANSWER: Final = 65536
AT_ONCE: Final = 4
"""Questions under way at most, each in a thread, of which a worker has few; further tokens wait."""

Claims = dict[str, Any]


class IntrospectedTokens:
    """The tokens of one plan. Raises ValueError for another URL than http or https without credentials."""

    def __init__(self, security: OAuth2Security, now: Callable[[], float]) -> None:
        parts = urlsplit(security.introspection_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError("the introspection url is no http or https URL without credentials")
        self._security = security
        self._shown = f"{parts.scheme}://{parts.netloc}"
        self._now = now
        self._believed = VerifiedTokens()
        self._asking: dict[bytes, asyncio.Task[Claims | Reply]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def claims(self, raw: bytes) -> Claims | Reply:
        """What the issuer says of an active token; the reply that refuses another."""
        if not 0 < len(raw) <= MAX_TOKEN:
            return _invalid()
        digest = sha256(raw).digest()
        claims = self._believed.find(digest, self._now(), 0)
        return await asyncio.shield(self._question(digest, raw)) if claims is None else claims

    def ends_at(self, claims: Claims) -> float | None:
        """When a token with these claims ends, in seconds since the epoch; None where it is not said."""
        end = claims.get("exp")
        return float(end) if isinstance(end, int | float) else None

    def _question(self, digest: bytes, raw: bytes) -> asyncio.Task[Claims | Reply]:
        task = self._asking.get(digest)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(digest, raw))
            self._asking[digest] = task
            task.add_done_callback(lambda _: self._asking.pop(digest, None))
        return task

    async def _ask(self, digest: bytes, raw: bytes) -> Claims | Reply:
        try:
            async with self._room:
                document = await self._fetch(raw)
            claims = _answer(document)
        except Exception as error:  # whatever is wrong there, nobody is let in by it
            _LOG.warning("%s cannot be asked about a token: %s", self._shown, type(error).__name__)
            return Reply(503, "OAUTH2_SERVER_UNAVAILABLE", "The issuer of the token cannot be asked.")
        return self._judge(digest, claims, len(document))

    async def _fetch(self, raw: bytes) -> bytes:
        fields = {"token": raw.decode("ascii"), "token_type_hint": "access_token"}
        form = ClientForm(self._security.client_id, self._security.client_secret, fields)
        return await fetch_document(self._security.introspection_url, form=form)

    def _judge(self, digest: bytes, claims: Claims, size: int) -> Claims | Reply:
        now, ends_at = self._now(), self.ends_at(claims)
        if claims.get("active") is not True or (ends_at is not None and ends_at <= now):
            return _invalid()
        until = now + self._security.cache
        self._believed.keep(digest, claims, size, until if ends_at is None else min(until, ends_at), 0)
        return claims


def _answer(document: bytes) -> Claims:
    """Raises ValueError where it is no answer of RFC 7662 section 2.2."""
    claims = strict_json(document) if len(document) <= MAX_ANSWER else None
    if not isinstance(claims, dict) or not isinstance(claims.get("exp", 0), int | float):
        raise ValueError("the answer is no introspection response")
    return claims


def _invalid() -> Reply:
    return Reply(401, "OAUTH2_INVALID_TOKEN", "The bearer token is not valid.")
