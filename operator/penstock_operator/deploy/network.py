"""A GatewayDeployment -> its Service and its NetworkPolicy: who reaches the pods."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from penstock_operator.deploy.identity import owned, pod_labels
from penstock_operator.deploy.ports import ReachablePort, admin_port, reachable
from penstock_operator.resources.exposure import NetworkPeer
from penstock_operator.resources.gateway_deployment import GatewayDeployment, GatewayDeploymentSpec
from penstock_operator.resources.kube import KubeObject

_APP_PROTOCOLS = {"HTTP": "http"}
"""Names without a prefix are those of IANA, which has none for Kafka."""


def service(gateway: GatewayDeployment) -> KubeObject | None:
    """The Service with a port for each listener; none where no listener can be reached."""
    ports = reachable(gateway.spec)
    if not ports:
        return None
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": owned(gateway, annotations=gateway.spec.service.annotations),
        "spec": {
            "type": gateway.spec.service.type,
            "selector": pod_labels(gateway),
            "ports": [_service_port(port, gateway) for port in ports],
            **_balancing(gateway),
        },
    }


def network_policy(gateway: GatewayDeployment) -> KubeObject | None:
    """The NetworkPolicy, if wanted: listeners for everybody, the admin port for the chosen."""
    policy, spec = gateway.spec.network_policy, gateway.spec
    if not policy.enabled:
        return None
    ingress: list[KubeObject] = []
    if reachable(spec):
        ingress.append({"ports": list(_listener_ports(spec))})
    if policy.admin_from:
        ports = [_policy_port(admin_port(spec))]
        ingress.append({"ports": ports, "from": [_peer(peer) for peer in policy.admin_from]})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": owned(gateway),
        "spec": {
            "podSelector": {"matchLabels": pod_labels(gateway)},
            "policyTypes": ["Ingress"],
            "ingress": ingress,
        },
    }


def _service_port(port: ReachablePort, gateway: GatewayDeployment) -> KubeObject:
    node_port = gateway.spec.service.node_ports.get(port.name)
    protocol = _APP_PROTOCOLS.get(port.listener.protocol)
    return {
        "name": port.name,
        "port": port.number,
        "targetPort": port.number,
        "protocol": "TCP",
        **({"appProtocol": protocol} if protocol else {}),
        **({"nodePort": node_port} if node_port else {}),
    }


def _balancing(gateway: GatewayDeployment) -> KubeObject:
    template = gateway.spec.service
    fields = {
        "loadBalancerClass": template.load_balancer_class,
        "loadBalancerSourceRanges": list(template.load_balancer_source_ranges),
        "externalTrafficPolicy": template.external_traffic_policy,
    }
    return {name: value for name, value in fields.items() if value}


def _listener_ports(spec: GatewayDeploymentSpec) -> Iterator[KubeObject]:
    """Those that can be reached, each range as one."""
    for listener, ports in groupby(reachable(spec), key=lambda port: port.listener):
        numbers = [port.number for port in ports]
        last = {} if listener.port else {"endPort": numbers[-1]}
        yield _policy_port(numbers[0]) | last


def _policy_port(port: int) -> KubeObject:
    return {"port": port, "protocol": "TCP"}


def _peer(peer: NetworkPeer) -> KubeObject:
    return peer.model_dump(mode="json", by_alias=True, exclude_defaults=True)
