"""Turns a gateway's node into its section of the wire."""

from __future__ import annotations

from gateway_runtime.snapshot import types as wire
from penstock_operator.graph.references import secret_uri
from penstock_operator.graph.types import GatewayNode
from penstock_operator.publish.flows import wire_flows
from penstock_operator.publish.kafka import kafka_listener
from penstock_operator.publish.providers import wire_provider
from penstock_operator.resources.gateway_deployment import Limits, Listener, Timeouts

PEPPER_KEY = "pepper"


def pepper_secret_name(gateway: str) -> str:
    """The name of the Secret that holds, under `pepper`, what a gateway's digests of keys are keyed with."""
    return f"{gateway}-pepper"


def gateway_section(node: GatewayNode, is_peppered: bool = False) -> wire.GatewaySection:
    """What a gateway is besides its APIs."""
    spec, metadata = node.gateway.spec, node.gateway.metadata
    return wire.GatewaySection(
        name=metadata.name,
        namespace=metadata.namespace,
        listeners=tuple(_listener(one) for one in spec.listeners if one.protocol == "HTTP"),
        kafka_listeners=tuple(
            kafka_listener(one, metadata.namespace) for one in spec.listeners if one.protocol == "Kafka"
        ),
        limits=_limits(spec.limits),
        timeouts=_timeouts(spec.timeouts),
        trusted_proxies=spec.trusted_proxies,
        flows=wire_flows(spec.flows, node.manifest),
        access_log=spec.access_log.enabled,
        key_pepper=_pepper(metadata.namespace, metadata.name) if is_peppered else None,
        secret_providers=tuple(wire_provider(one, metadata.namespace) for one in spec.secret_providers),
    )


def _pepper(namespace: str, gateway: str) -> wire.SecretRef:
    return wire.SecretRef(uri=secret_uri(namespace, pepper_secret_name(gateway), PEPPER_KEY))


def _listener(listener: Listener) -> wire.HttpListener:
    assert listener.port is not None
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
