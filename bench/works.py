"""What the proxies are asked to do, and with which requests.

plain: every path goes to the backend. policies: the same behind an API key, a rate limit (never reached), one
request header and one response header. apis10k: 10,000 such APIs, each with its own path prefix (cut off on
the way) and its own key.
"""

from __future__ import annotations

from dataclasses import dataclass

KEY_HEADER = "X-Api-Key"
REQUEST_HEADER = ("X-Edge", "bench")
RESPONSE_HEADER = ("X-Gateway", "bench")
UNREACHED = 1_000_000
"""A rate limit, in uses per second of one key, that no peer can reach."""

BODIES = {"0": 0, "1k": 1024, "64k": 65536, "1m": 1048576}
"""Name -> bytes; the name is the path of the backend's answer."""


@dataclass(frozen=True, slots=True)
class Work:
    """A work; `apis` is the number of APIs with a prefix of their own, 0 for one at the root.

    `limit` is the rate limit of each key, in uses per second.
    """

    name: str
    policies: bool
    apis: int = 0
    limit: int = UNREACHED

    def prefixes(self) -> list[str]:
        """The path prefixes of the APIs."""
        return [api_name(index) for index in range(self.apis)]

    def path(self, body: str, index: int = 0) -> str:
        """The path of a request."""
        return f"/{api_name(index)}/{body}" if self.apis else f"/{body}"

    def headers(self, index: int = 0) -> dict[str, str]:
        """The headers that let a request in."""
        return {KEY_HEADER: api_key(index)} if self.policies else {}


def api_name(index: int) -> str:
    """The name of an API: its path prefix without slashes."""
    return f"api-{index:05}"


def api_key(index: int) -> str:
    """The key of the one subscription of an API."""
    return f"bench-key-of-{api_name(index)}"


WORKS = {
    work.name: work for work in (Work("plain", False), Work("policies", True), Work("apis10k", True, 10_000))
}
