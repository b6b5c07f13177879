"""rateLimit: bounds how fast a client may send requests."""

from __future__ import annotations

from gateway_runtime.policies.windows import WindowLimit, window_policy


class RateLimit(WindowLimit):
    """At most `limit` requests in each `period`, such as 100 in 1s.

    Exact across the workers of a gateway's process group. Responses carry X-Rate-Limit-Limit,
    X-Rate-Limit-Remaining and X-Rate-Limit-Reset (seconds until the window ends); refused ones Retry-After.
    """


POLICY = window_policy("rateLimit", RateLimit, "RATE_LIMIT_TOO_MANY_REQUESTS", "X-Rate-Limit")
