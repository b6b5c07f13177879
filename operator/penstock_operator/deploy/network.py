"""A GatewayDeployment -> its Service and its NetworkPolicy: who reaches the pods."""

from __future__ import annotations

from penstock_operator.deploy.identity import owned, pod_labels
from penstock_operator.deploy.ports import admin_port, reachable
from penstock_operator.resources.exposure import NetworkPeer
from penstock_operator.resources.gateway_deployment import GatewayDeployment, Listener
from penstock_operator.resources.kube import KubeObject

_APP_PROTOCOLS = {"HTTP": "http"}


def service(gateway: GatewayDeployment) -> KubeObject | None:
    """The Service with a port for each listener; none where no listener can be reached."""
    listeners = reachable(gateway.spec)
    if not listeners:
        return None
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": owned(gateway, annotations=gateway.spec.service.annotations),
        "spec": {
            "type": gateway.spec.service.type,
            "selector": pod_labels(gateway),
            "ports": [_service_port(listener, gateway) for listener in listeners],
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
        ingress.append({"ports": [_policy_port(listener.port) for listener in reachable(spec)]})
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


def _service_port(listener: Listener, gateway: GatewayDeployment) -> KubeObject:
    node_port = gateway.spec.service.node_ports.get(listener.name)
    return {
        "name": listener.name,
        "port": listener.port,
        "targetPort": listener.port,
        "protocol": "TCP",
        "appProtocol": _APP_PROTOCOLS[listener.protocol],
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


def _policy_port(port: int) -> KubeObject:
    return {"port": port, "protocol": "TCP"}


def _peer(peer: NetworkPeer) -> KubeObject:
    return peer.model_dump(mode="json", by_alias=True, exclude_defaults=True)
