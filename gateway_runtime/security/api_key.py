"""Plans with API keys: a key in a header or in the query names the subscription.

Only digests are held. A digest is looked up whole, so that the time taken tells nothing of a key.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from urllib.parse import unquote_plus

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Exchange, Request
from gateway_runtime.security.method import ABSENT, SecurityEnvironment, Strip, Verdict
from gateway_runtime.security.subscriptions import Grant
from gateway_runtime.snapshot.keys import peppered
from gateway_runtime.snapshot.types import ApiKeySecurity

MIN_KEY = 8
MAX_KEY = 1024


class ApiKeyMethod:
    """The API keys of one plan."""

    missing: str = "API_KEY_MISSING"

    def __init__(
        self,
        plan: str,
        security: ApiKeySecurity,
        grants: dict[bytes, Grant],
        environment: SecurityEnvironment,
    ) -> None:
        self._plan = plan
        self._header = security.header.lower().encode("ascii")
        self._query = security.query
        self.propagate: bool = security.propagate
        self._grants = grants
        self._pepper = environment.pepper()
        self._now = environment.now
        self.places: dict[str, Strip] = {f"header {security.header.lower()}": self._strip_header}
        if self._query is not None:
            self.places[f"query {self._query}"] = self._strip_query

    def is_present(self, exchange: Exchange) -> bool:
        """Whether a key is there, good or not."""
        request = exchange.request
        return self._header in request.headers.names or bool(self._from_query(request))

    def check(self, exchange: Exchange) -> Verdict:
        """Look the key up."""
        request = exchange.request
        names = request.headers.names
        if self._header in names:
            key = request.headers.find(self._header) or b""
            if names.count(self._header) > 1 or self._from_query(request):
                return error_reply("API_KEY_INVALID", "The request has more than one API key.")
        else:
            keys = self._from_query(request)
            if not keys:
                return ABSENT
            if len(keys) > 1:
                return error_reply("API_KEY_INVALID", "The request has more than one API key.")
            key = keys[0]
        return self._admit(exchange, key)

    def _admit(self, exchange: Exchange, key: bytes) -> Verdict:
        if not MIN_KEY <= len(key) <= MAX_KEY:
            return error_reply("API_KEY_INVALID")
        digest = sha256(key).digest()
        if self._pepper:
            digest = peppered(digest, self._pepper)
        grant = self._grants.get(digest)
        if grant is None or not hmac.compare_digest(grant.digest, digest):
            return error_reply("API_KEY_INVALID")
        refusal = grant.refuse(self._now())
        if refusal is not None:
            return refusal
        exchange.plan = self._plan
        exchange.subscription = grant.info
        if not self.propagate:
            self._strip_header(exchange.request)
            self._strip_query(exchange.request)
        return None

    def _strip_header(self, request: Request) -> None:
        request.headers.discard(self._header)

    def _strip_query(self, request: Request) -> None:
        if self._query is not None and request.query:
            kept = [part for part in request.query.split("&") if not self._is_key(part)]
            request.query = "&".join(kept)

    def _from_query(self, request: Request) -> list[bytes]:
        if self._query is None or not request.query:
            return []
        parts = [part for part in request.query.split("&") if self._is_key(part)]
        return [unquote_plus(part.partition("=")[2]).encode() for part in parts]

    def _is_key(self, part: str) -> bool:
        return unquote_plus(part.partition("=")[0]) == self._query
