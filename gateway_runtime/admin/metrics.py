"""Counters to the Prometheus text format 0.0.4. Only APIs that had traffic have series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway_runtime.secrets.store import ProviderState
from gateway_runtime.stats import DURATION_BOUNDS

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

_PROCESS: Final = (
    ("connections_open", "penstock_connections_open", "gauge", "Client connections that are open."),
    ("connections_total", "penstock_connections_total", "counter", "Client connections accepted."),
    ("connections_refused", "penstock_connections_refused_total", "counter", "Refused at the limit."),
    ("upstream_connections_open", "penstock_upstream_connections_open", "gauge", "Backend connections open."),
    (
        "upstream_connections_total",
        "penstock_upstream_connections_total",
        "counter",
        "Backend connections made.",
    ),
    ("upstream_retries", "penstock_upstream_retries_total", "counter", "Requests sent again."),
    ("reloads", "penstock_reloads_total", "counter", "Configurations taken by workers."),
    ("reload_seconds", "penstock_reload_seconds_total", "counter", "Seconds spent compiling them."),
    ("access_log_dropped", "penstock_access_log_dropped_total", "counter", "Lines a slow reader missed."),
)

_KAFKA: Final = (
    ("connections_open", "connections_open", "gauge", "Connections of Kafka clients that are open."),
    ("connections_total", "connections_total", "counter", "Connections of Kafka clients accepted."),
    ("requests", "requests_total", "counter", "Requests of authenticated Kafka clients."),
    ("request_bytes", "request_bytes_total", "counter", "Bytes of their requests."),
    ("response_bytes", "response_bytes_total", "counter", "Bytes of the responses to them."),
    ("throttled_ms", "throttled_milliseconds_total", "counter", "Time for which clients were throttled."),
)

_SECRETS: Final = (
    ("penstock_secret_documents", "gauge", "Documents of secrets that are followed.", "documents"),
    (
        "penstock_secret_age_seconds",
        "gauge",
        "Seconds since the oldest values in use were known to be right; 0 while they are watched.",
        "age",
    ),
    ("penstock_secret_failures_total", "counter", "Attempts to read a secret that failed.", "failures"),
)


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What the supervisor knows besides its workers' counters."""

    workers: int
    restarts: int
    apis: int
    ready: bool
    secrets: Sequence[ProviderState] = ()


def render(totals: dict[str, Any], state: GatewayState) -> str:
    """The metrics page."""
    lines = [
        *_single("penstock_workers", "gauge", "Worker processes.", state.workers),
        *_single("penstock_worker_restarts_total", "counter", "Workers replaced.", state.restarts),
        *_single("penstock_apis", "gauge", "APIs that are served.", state.apis),
        *_single("penstock_ready", "gauge", "Whether the gateway is ready.", int(state.ready)),
    ]
    lines += _providers(state.secrets)
    for key, name, kind, text in _PROCESS:
        lines += _single(name, kind, text, totals.get(key, 0))
    apis: dict[str, dict[str, Any]] = totals.get("apis", {})
    lines += _by_label(apis, "penstock_http_requests_total", "Requests answered.", "statuses", "status")
    lines += _by_label(
        apis, "penstock_http_errors_total", "The gateway's own error replies.", "errors", "key"
    )
    lines += _per_api(apis, "penstock_http_request_bytes_total", "Bytes of request bodies.", "request_bytes")
    lines += _per_api(
        apis, "penstock_http_response_bytes_total", "Bytes of response bodies.", "response_bytes"
    )
    lines += _histograms(apis)
    lines += _kafka(totals.get("kafka", {}))
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _single(name: str, kind: str, text: str, value: float) -> list[str]:
    return [*_head(name, kind, text), f"{name} {value}"]


def _providers(states: Sequence[ProviderState]) -> Iterator[str]:
    """Providers by name; secrets have no series of their own, so that no page lists them."""
    for name, kind, text, field in _SECRETS:
        if states:
            yield from _head(name, kind, text)
        for state in states:
            yield f'{name}{{provider="{_escape(state.provider)}"}} {getattr(state, field):g}'


def _by_label(apis: dict[str, dict[str, Any]], name: str, text: str, field: str, label: str) -> Iterator[str]:
    yield from _head(name, "counter", text)
    for api, stats in apis.items():
        for value, count in stats[field].items():
            yield f'{name}{{api="{_escape(api)}",{label}="{_escape(value)}"}} {count}'


def _per_api(apis: dict[str, dict[str, Any]], name: str, text: str, field: str) -> Iterator[str]:
    yield from _head(name, "counter", text)
    for api, stats in apis.items():
        yield f'{name}{{api="{_escape(api)}"}} {stats[field]}'


def _kafka(apis: dict[str, dict[str, Any]]) -> Iterator[str]:
    if not apis:
        return
    for field, name, kind, text in _KAFKA:
        yield from _head(f"penstock_kafka_{name}", kind, text)
        for api, stats in apis.items():
            yield f'penstock_kafka_{name}{{api="{_escape(api)}"}} {stats[field]}'
    text = "Connections of Kafka clients that the gateway ended."
    yield from _by_label(apis, "penstock_kafka_refused_total", text, "refused", "reason")


def _histograms(apis: dict[str, dict[str, Any]]) -> Iterator[str]:
    name = "penstock_http_request_duration_seconds"
    yield from _head(name, "histogram", "From the request's head to the last byte of its response.")
    for api, stats in apis.items():
        label = f'api="{_escape(api)}"'
        reached = 0
        for bound, count in _buckets(stats["buckets"]):
            reached += count
            yield f'{name}_bucket{{{label},le="{bound}"}} {reached}'
        yield f"{name}_sum{{{label}}} {stats['duration_sum']:.6f}"
        yield f"{name}_count{{{label}}} {reached}"


def _buckets(counts: list[int]) -> Iterable[tuple[str, int]]:
    return zip([*(f"{bound:g}" for bound in DURATION_BOUNDS), "+Inf"], counts, strict=True)


def _escape(value: str) -> str:
    return value.translate(_ESCAPES)
