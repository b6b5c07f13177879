"""Endpoints that refer to Services: what is published of them, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_runtime.snapshot.types import Endpoint, ServicePort
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.conditions import conditions_of
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.types import Graph
from penstock_operator.manifests.reader import Manifest
from penstock_operator.publish.apis import api_section
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.resources.service import PortOfService, Service, Services, service_of

ORDERS = Service((PortOfService("http", 80), PortOfService("admin", 9000)))
SERVICES = {"shop/orders": ORDERS}


def parsed(kind: str, name: str, spec: dict[str, Any]) -> Parsed:
    metadata = {"name": name, "namespace": "shop"}
    data = {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    outcome = parse(Manifest("", 0, 0, data))
    assert isinstance(outcome, Parsed), outcome
    return outcome


def api(**ref: Any) -> Parsed:
    endpoints = [{"name": "main", "serviceRef": {"name": "orders", "port": 80, **ref}}]
    groups = [{"name": "default", "endpoints": endpoints}]
    return parsed("ApiDefinition", "orders", {"listeners": [{"http": {}}], "endpointGroups": groups})


def graph(one: Parsed, services: Services | None, memo: Memo | None = None) -> Graph:
    return build_graph([one], memo, services=services)


def published(found: Graph) -> Endpoint:
    return api_section(found.apis["shop/orders"]).endpoint_groups[0].endpoints[0]


def finding(found: Graph) -> tuple[str, str, str]:
    """Status, reason and message of ResolvedRefs."""
    (report,) = found.reports
    (condition,) = [one for one in conditions_of(report) if one.type == "ResolvedRefs"]
    return condition.status, condition.reason, condition.message.removeprefix("spec.endpointGroups[0].")


@pytest.mark.parametrize("port", [80, "80", "http"])
def test_a_port_is_published_by_its_name(port: object) -> None:
    endpoint = published(graph(api(port=port), SERVICES))
    assert endpoint.service == ServicePort(namespace="shop", name="orders", port="http")
    assert endpoint.url == "http://orders.shop.svc/"


def test_scheme_path_and_an_unusual_port_make_the_url() -> None:
    ref = {"namespace": "shop", "port": "admin", "scheme": "https", "path": "/v1"}
    endpoint = published(graph(api(**ref), SERVICES))
    assert endpoint.url == "https://orders.shop.svc:9000/v1"
    assert endpoint.service == ServicePort(namespace="shop", name="orders", port="admin")


def test_the_only_port_of_a_service_may_have_no_name() -> None:
    endpoint = published(graph(api(), {"shop/orders": Service((PortOfService("", 80),))}))
    assert endpoint.service == ServicePort(namespace="shop", name="orders", port="")


def test_a_service_that_is_not_there_is_not_resolved() -> None:
    found = graph(api(), {"shop/order": ORDERS, "other/orders": ORDERS})
    assert finding(found) == (
        "False",
        "ServiceNotFound",
        "endpoints[0].serviceRef.name: there is no Service shop/orders, did you mean `shop/order`?",
    )
    assert not found.apis


def test_a_port_that_is_not_there_is_not_resolved() -> None:
    assert finding(graph(api(port="grpc"), SERVICES)) == (
        "False",
        "ServicePortNotFound",
        "endpoints[0].serviceRef.port: the Service orders has no TCP port `grpc`; "
        "its ports: 80 (http), 9000 (admin)",
    )


def test_a_service_that_is_only_a_name_has_no_endpoints() -> None:
    status, reason, message = finding(graph(api(), {"shop/orders": Service((), is_external=True)}))
    assert (status, reason) == ("False", "ServiceIsExternal")
    assert "give its host as `url`" in message


def test_a_service_of_another_namespace_cannot_be_referred_to() -> None:
    found = graph(api(namespace="other"), {**SERVICES, "other/orders": ORDERS})
    assert finding(found) == (
        "False",
        "RefNotPermitted",
        "endpoints[0].serviceRef.namespace: a Service of another namespace (other) cannot be referred to",
    )
    assert not found.apis


def test_an_api_is_built_anew_where_its_service_changes_and_only_there() -> None:
    one, memo = api(port="http"), Memo()
    before = graph(one, SERVICES, memo)
    same = graph(one, {**SERVICES, "shop/stock": ORDERS}, memo)
    assert same.apis["shop/orders"] is before.apis["shop/orders"]
    moved = graph(one, {"shop/orders": Service((PortOfService("http", 8080),))}, memo)
    assert published(moved).url == "http://orders.shop.svc:8080/"
    assert not graph(one, {}, memo).apis
    assert published(graph(one, SERVICES, memo)) == published(before)


def test_a_service_is_read_as_the_api_server_has_it() -> None:
    ports = [
        {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"},
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"port": 9},
    ]
    found = service_of({"spec": {"type": "ClusterIP", "ports": ports}})
    assert found == Service((PortOfService("http", 80), PortOfService("", 9)))
    assert service_of({"spec": {"type": "ExternalName", "externalName": "x.example"}}).is_external
