"""quota: bounds how much a client may use over a long time."""

from __future__ import annotations

from gateway_runtime.policies.windows import WindowLimit, window_policy


class Quota(WindowLimit):
    """At most `limit` requests in each `period`, such as 100000 in 1d.

    Exact across the workers of a gateway's process group, and forgotten when the group ends. Responses carry
    X-Quota-Limit, X-Quota-Remaining and X-Quota-Reset (seconds until the window ends); refused ones
    Retry-After.
    """


POLICY = window_policy("quota", Quota, "QUOTA_TOO_MANY_REQUESTS", "X-Quota")
