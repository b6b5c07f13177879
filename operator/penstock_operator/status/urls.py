"""Turns an API's listeners and the gateways that serve it into the URLs that clients use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from penstock_operator.graph.kafka_routes import address_of
from penstock_operator.graph.routes import normal_path
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.gateway_deployment import Listener
from penstock_operator.status.serving import View

MOST_URLS = 32


def urls_of(api: ApiDefinition, views: Iterable[View]) -> tuple[str, ...]:
    """The URLs of an API: at its own hosts, or else at the addresses of the gateways as far as known."""
    found = dict.fromkeys(url for view in views for url in _urls(api, view))
    return tuple(islice(found, MOST_URLS))


def _urls(api: ApiDefinition, view: View) -> Iterator[str]:
    listeners = view.node.gateway.spec.listeners
    address = address_of(api)
    if address is not None:
        found = (address.bootstrap(listener) for listener in listeners)
        yield from (f"kafka://{bootstrap}" for bootstrap in found if bootstrap)
        return
    for listener in (one for one in listeners if one.protocol == "HTTP"):
        for route in (one.http for one in api.spec.listeners if one.http):
            path = normal_path(route.path)
            for host in route.hosts or view.observed.addresses:
                yield f"http://{_authority(host, listener)}{path}"


def _authority(host: str, listener: Listener) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if listener.port == 80 else f"{name}:{listener.port}"
