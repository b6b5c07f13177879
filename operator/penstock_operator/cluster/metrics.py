"""The operator's own metrics (OpenMetrics text by prometheus_client), and what its health port answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one operator process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rounds = Histogram(
            "penstock_operator_reconcile_seconds",
            "How long a round took, by its part.",
            ("part",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.calls = Counter(
            "penstock_operator_api_requests",
            "Requests to the Kubernetes API by verb, kind and HTTP status (0: not reached).",
            ("verb", "kind", "status"),
            registry=self.registry,
        )
        self.errors = Counter(
            "penstock_operator_errors",
            "Rounds and writes that failed, by kind of error.",
            ("error",),
            registry=self.registry,
        )
        self.reviews = Counter(
            "penstock_operator_admission_reviews",
            "Objects that the webhook reviewed, by kind and verdict.",
            ("kind", "allowed"),
            registry=self.registry,
        )
        self.queue = Gauge(
            "penstock_operator_queue",
            "Changes that wait for a round (dirty), and objects whose writes are backed off (failing).",
            ("state",),
            registry=self.registry,
        )
        self.resources = Gauge(
            "penstock_operator_resources",
            "Resources that the operator knows, by kind.",
            ("kind",),
            registry=self.registry,
        )
        self.leading = Gauge(
            "penstock_operator_leading",
            "Whether this replica is the one that writes.",
            registry=self.registry,
        )

    def call(self, verb: str, kind: str, status: int) -> None:
        """Count one request to the Kubernetes API."""
        self.calls.labels(verb, kind, status).inc()

    def failure(self, error: str) -> None:
        """Count a round or a write that failed."""
        self.errors.labels(error).inc()

    def review(self, kind: str, allowed: bool) -> None:
        """Count one object that the webhook reviewed."""
        self.reviews.labels(kind, str(allowed).lower()).inc()


class HealthServer:
    """Answers /healthz (the process turns), /readyz (all kinds are known) and /metrics."""

    def __init__(
        self, metrics: Metrics, not_healthy: Callable[[], str], not_ready: Callable[[], str]
    ) -> None:
        self._metrics = metrics
        self._not_healthy = not_healthy
        self._not_ready = not_ready
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen; raises OSError where the port cannot be had."""
        application = web.Application()
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/readyz", self._ready)
        application.router.add_get("/metrics", self._text)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        return _answer(self._not_healthy())

    async def _ready(self, _request: web.Request) -> web.Response:
        return _answer(self._not_ready())

    async def _text(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )


def _answer(reason: str) -> web.Response:
    return web.Response(text=f"{reason or 'ok'}\n", status=503 if reason else 200)
