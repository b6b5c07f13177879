"""Turns an API's node into its section of the wire."""

from __future__ import annotations

from gateway_runtime.snapshot import types as wire
from penstock_operator.graph.routes import normal_path
from penstock_operator.graph.types import ApiNode
from penstock_operator.publish.flows import wire_flows
from penstock_operator.publish.plans import wire_plan
from penstock_operator.resources.api_definition import Cors, EndpointGroup, HttpListener, ResponseTemplate


def api_section(node: ApiNode) -> wire.ApiSection:
    """All of an API but its subscriptions."""
    spec, metadata = node.api.spec, node.api.metadata
    return wire.ApiSection(
        name=metadata.name,
        namespace=metadata.namespace,
        version=spec.version,
        routes=tuple(_route(listener.http) for listener in spec.listeners),
        endpoint_groups=tuple(map(_group, spec.endpoint_groups)),
        plans=tuple(map(wire_plan, node.plans)),
        flows=wire_flows(spec.flows, node.manifest),
        response_templates=_templates(spec.response_templates),
        properties=spec.properties,
        secrets=dict(node.secrets),
        access_log=spec.access_log.enabled,
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


def _group(group: EndpointGroup) -> wire.EndpointGroup:
    endpoints = (wire.Endpoint(name=one.name, url=one.url, headers=one.headers) for one in group.endpoints)
    return wire.EndpointGroup(
        name=group.name,
        endpoints=tuple(endpoints),
        connect_timeout=group.timeouts.connect,
        response_timeout=group.timeouts.response,
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
