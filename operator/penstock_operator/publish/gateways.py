"""Turns a gateway's node into its section of the wire."""

from __future__ import annotations

from gateway_runtime.snapshot import types as wire
from penstock_operator.graph.types import GatewayNode
from penstock_operator.publish.flows import wire_flows
from penstock_operator.resources.gateway_deployment import Limits, Listener, Timeouts


def gateway_section(node: GatewayNode) -> wire.GatewaySection:
    """What a gateway is besides its APIs."""
    spec, metadata = node.gateway.spec, node.gateway.metadata
    return wire.GatewaySection(
        name=metadata.name,
        namespace=metadata.namespace,
        listeners=tuple(map(_listener, spec.listeners)),
        limits=_limits(spec.limits),
        timeouts=_timeouts(spec.timeouts),
        trusted_proxies=spec.trusted_proxies,
        flows=wire_flows(spec.flows, node.manifest),
        access_log=spec.access_log.enabled,
    )


def _listener(listener: Listener) -> wire.HttpListener:
    return wire.HttpListener(name=listener.name, port=listener.port, address=listener.address)


def _limits(limits: Limits) -> wire.Limits:
    return wire.Limits(
        request_line=limits.request_line,
        header_count=limits.header_count,
        header_bytes=limits.header_bytes,
        body=limits.body,
        buffered_body=limits.buffered_body,
        connections=limits.connections,
    )


def _timeouts(timeouts: Timeouts) -> wire.Timeouts:
    return wire.Timeouts(header=timeouts.header, body=timeouts.body, idle=timeouts.idle, drain=timeouts.drain)
