"""The step of rate limits and quotas, apart from their models so that it can be compiled ahead of time."""

from __future__ import annotations

from hashlib import blake2b
from math import ceil

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Counter, Outcome, Template

_LONGEST_KEY = 128
"""Longer keys are counted by their digest, so that clients who choose them cannot fill the memory."""


class Window:
    """How many uses a window holds, and how long it is (seconds); responses tell it with a header prefix."""

    __slots__ = ("header_prefix", "limit", "period")

    def __init__(self, limit: int, period: float, header_prefix: str | None) -> None:
        self.limit = limit
        self.period = period
        self.header_prefix = header_prefix


class WindowStep:
    """Counts each request; refuses those beyond the limit.

    Without a key of its own it counts by subscription, or by address where there is none; the three kinds
    of keys never meet.
    """

    __slots__ = (
        "_adds_headers",
        "_error",
        "_hit",
        "_key",
        "_left_name",
        "_left_start",
        "_limit",
        "_limit_field",
        "_of_address",
        "_of_key",
        "_of_subscription",
        "_period",
        "_reset_field",
        "_reset_name",
        "_reset_start",
        "_seconds",
        "_sentence",
    )

    def __init__(
        self, window: Window, scope: str, key: Template | None, counter: Counter, error: str
    ) -> None:
        self._limit = window.limit
        self._period = window.period
        place = scope.encode() + b"\0"
        self._of_subscription = place + b"s"
        self._of_address = place + b"a"
        self._of_key = place + b"k"
        self._key = key
        self._hit = counter.hit
        self._error = error
        self._adds_headers = window.header_prefix is not None
        prefix = (window.header_prefix or "").encode("ascii") + b"-"
        self._limit_field = ((prefix + b"Limit").lower(), prefix + b"Limit: %d" % window.limit)
        self._left_name, self._left_start = (prefix + b"Remaining").lower(), prefix + b"Remaining: "
        self._reset_name, self._reset_start = (prefix + b"Reset").lower(), prefix + b"Reset: "
        self._seconds: int = -1
        self._reset_field: tuple[bytes, bytes] = (b"", b"")
        self._sentence = f"At most {window.limit} requests in {window.period:.15g} s are allowed."

    def __call__(self, exchange: Exchange) -> Outcome:
        allowed, left, reset = self._hit(self._counted(exchange), self._limit, self._period)
        if self._adds_headers:
            self._tell(exchange, left, ceil(reset))
        if allowed:
            return None
        return Reply(429, self._error, self._sentence, [("Retry-After", str(ceil(reset)))])

    def _counted(self, exchange: Exchange) -> bytes:
        """Whose use this is."""
        if self._key is not None:
            own = self._key(exchange).encode()
            if len(own) > _LONGEST_KEY:
                own = blake2b(own, digest_size=32).digest()
            return self._of_key + own
        subscription = exchange.subscription
        if subscription is not None:
            return self._of_subscription + subscription.name.encode()
        return self._of_address + exchange.request.remote_address.encode()

    def _tell(self, exchange: Exchange, left: int, seconds: int) -> None:
        if seconds != self._seconds:  # most requests of a window find the line of the one before
            self._seconds = seconds
            self._reset_field = (self._reset_name, self._reset_start + b"%d" % seconds)
        remaining = (self._left_name, self._left_start + b"%d" % left)
        exchange.add_response_headers([self._limit_field, remaining, self._reset_field])
