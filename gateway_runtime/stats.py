"""Counters of one worker, plain numbers on the hot path; the admin side adds them up and names them."""

from __future__ import annotations

from bisect import bisect_left
from typing import Protocol

DURATION_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency histogram, in seconds."""


class ApiStats:
    """What one API has served in this worker."""

    __slots__ = ("buckets", "duration_sum", "errors", "request_bytes", "response_bytes", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.errors: dict[str, int] = {}
        self.buckets: list[int] = [0] * (len(DURATION_BOUNDS) + 1)
        self.duration_sum: float = 0.0
        self.request_bytes: int = 0
        self.response_bytes: int = 0

    def count(self, status: int, seconds: float) -> None:
        """Count one answered request."""
        statuses = self.statuses
        statuses[status] = statuses.get(status, 0) + 1
        self.buckets[bisect_left(DURATION_BOUNDS, seconds)] += 1
        self.duration_sum += seconds

    def count_error(self, key: str) -> None:
        """Count one reply of the gateway's own with that error key."""
        self.errors[key] = self.errors.get(key, 0) + 1

    def dump(self) -> dict[str, object]:
        """The numbers as JSON-able data; maps are keyed by strings."""
        return {
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "errors": dict(self.errors),
            "buckets": list(self.buckets),
            "duration_sum": self.duration_sum,
            "request_bytes": self.request_bytes,
            "response_bytes": self.response_bytes,
        }


class Counting(Protocol):
    """What counts requests by itself."""

    def take(self) -> tuple[int, int, int]:
        """Requests, their bytes and those of responses since this was asked last."""
        ...


class KafkaStats:
    """What one Kafka API has served in this worker; `refused` counts connections it ended, by reason."""

    __slots__ = (
        "connections_open",
        "connections_total",
        "counting",
        "refused",
        "request_bytes",
        "requests",
        "response_bytes",
        "throttled_ms",
    )

    def __init__(self) -> None:
        self.connections_open: int = 0
        self.connections_total: int = 0
        self.requests: int = 0
        self.request_bytes: int = 0
        self.response_bytes: int = 0
        self.throttled_ms: int = 0
        self.refused: dict[str, int] = {}
        self.counting: set[Counting] = set()
        """Whose numbers belong to these, and are taken when they are wanted."""

    def collect(self, counting: Counting) -> None:
        """Add what something has counted."""
        requests, request_bytes, response_bytes = counting.take()
        self.requests += requests
        self.request_bytes += request_bytes
        self.response_bytes += response_bytes

    def refuse(self, reason: str) -> None:
        """Count a connection that was ended; reasons are few words of the gateway's own."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def dump(self) -> dict[str, object]:
        """The numbers as JSON-able data."""
        for counting in self.counting:
            self.collect(counting)
        return {
            "connections_open": self.connections_open,
            "connections_total": self.connections_total,
            "requests": self.requests,
            "request_bytes": self.request_bytes,
            "response_bytes": self.response_bytes,
            "throttled_ms": self.throttled_ms,
            "refused": dict(self.refused),
        }


class WorkerStats:
    """What one worker has done. The API `-` counts requests that no API was found for."""

    __slots__ = (
        "apis",
        "connections_open",
        "connections_refused",
        "connections_total",
        "kafka",
        "reload_seconds",
        "reloads",
        "upstream_connections_open",
        "upstream_connections_total",
        "upstream_retries",
    )

    def __init__(self) -> None:
        self.apis: dict[str, ApiStats] = {"-": ApiStats()}
        self.kafka: dict[str, KafkaStats] = {}
        self.connections_open: int = 0
        self.connections_total: int = 0
        self.connections_refused: int = 0
        self.upstream_connections_open: int = 0
        self.upstream_connections_total: int = 0
        self.upstream_retries: int = 0
        self.reloads: int = 0
        self.reload_seconds: float = 0.0

    def api(self, key: str) -> ApiStats:
        """The counters of the API `namespace/name`, made where there are none."""
        stats = self.apis.get(key)
        if stats is None:
            stats = self.apis[key] = ApiStats()
        return stats

    def kafka_api(self, key: str) -> KafkaStats:
        """The counters of the Kafka API `namespace/name`, made where there are none."""
        stats = self.kafka.get(key)
        if stats is None:
            stats = self.kafka[key] = KafkaStats()
        return stats
