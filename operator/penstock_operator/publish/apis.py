"""Turns an API's node into its section of the wire."""

from __future__ import annotations

from typing import Final

from gateway_runtime.snapshot import types as wire
from penstock_operator.graph.routes import normal_path
from penstock_operator.graph.types import ApiNode
from penstock_operator.publish.flows import wire_flows
from penstock_operator.publish.kafka import kafka_api
from penstock_operator.publish.plans import wire_plan
from penstock_operator.resources.api_definition import (
    Cors,
    Endpoint,
    EndpointGroup,
    HttpListener,
    ResponseTemplate,
)

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def api_section(node: ApiNode) -> wire.ApiSection:
    """All of an API but its subscriptions."""
    spec, metadata = node.api.spec, node.api.metadata
    return wire.ApiSection(
        name=metadata.name,
        namespace=metadata.namespace,
        version=spec.version,
        routes=tuple(_route(listener.http) for listener in spec.listeners if listener.http),
        endpoint_groups=() if spec.is_kafka else tuple(_group(group, node) for group in spec.endpoint_groups),
        plans=tuple(map(wire_plan, node.plans)),
        flows=wire_flows(spec.flows, node.manifest),
        response_templates=_templates(spec.response_templates),
        properties=spec.properties,
        secrets=dict(node.secrets),
        access_log=spec.access_log.enabled,
        kafka=kafka_api(node.api),
    )


def _route(listener: HttpListener) -> wire.HttpRoute:
    cors = _cors(listener.cors) if listener.cors else None
    return wire.HttpRoute(hosts=listener.hosts, path=normal_path(listener.path), cors=cors)


def _cors(cors: Cors) -> wire.Cors:
    return wire.Cors(
        allow_origins=cors.allow_origins,
        allow_methods=cors.allow_methods,
        allow_headers=cors.allow_headers,
        expose_headers=cors.expose_headers,
        allow_credentials=cors.allow_credentials,
        max_age=cors.max_age,
    )


def _group(group: EndpointGroup, node: ApiNode) -> wire.EndpointGroup:
    return wire.EndpointGroup(
        name=group.name,
        endpoints=tuple(_endpoint(one, node) for one in group.endpoints),
        connect_timeout=group.timeouts.connect,
        response_timeout=group.timeouts.response,
    )


def _endpoint(endpoint: Endpoint, node: ApiNode) -> wire.Endpoint:
    ref, name, headers = endpoint.service_ref, endpoint.name, endpoint.headers
    if ref is None:
        assert endpoint.url is not None
        return wire.Endpoint(name=name, url=endpoint.url, headers=headers)
    namespace = node.api.metadata.namespace
    port = node.services.get(ref)
    number = f":{port.number}" if port is not None and port.number != _DEFAULT_PORTS[ref.scheme] else ""
    return wire.Endpoint(
        name=name,
        url=f"{ref.scheme}://{ref.name}.{namespace}.svc{number}{ref.path}",
        headers=headers,
        service=wire.ServicePort(namespace=namespace, name=ref.name, port=port.name if port else ""),
    )


def _templates(
    templates: dict[str, dict[str, ResponseTemplate]],
) -> dict[str, dict[str, wire.ResponseTemplate]]:
    return {
        key: {
            media_type: wire.ResponseTemplate(status=one.status, headers=one.headers, body=one.body)
            for media_type, one in by_type.items()
        }
        for key, by_type in templates.items()
    }
