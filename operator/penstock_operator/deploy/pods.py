"""A GatewayDeployment -> the template of its pods.

It changes only where the GatewayDeployment says something else about pods, never with the APIs: each change
of it rolls all pods.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from kubernetes.utils.quantity import parse_quantity
from pydantic import BaseModel

from gateway_runtime.snapshot.parts import GATEWAY_LABEL
from gateway_runtime.snapshot.providers import token_path
from penstock_operator.deploy.context import DeployContext
from penstock_operator.deploy.identity import instance, pod_labels, short_digest
from penstock_operator.deploy.ports import admin_port, has_privileged, reachable
from penstock_operator.resources.gateway_deployment import GatewayDeployment, GatewayDeploymentSpec
from penstock_operator.resources.kube import KubeObject

CONTAINER: Final = "gateway"
_USER: Final = 65532
"""The user of images that have no root, by convention."""
_TOKEN_SECONDS: Final = 3607
"""The lifetime of a service account's token as Kubernetes itself mounts it."""
_VAULT_TOKEN_SECONDS: Final = 600
"""Kubernetes makes no shorter ones; it replaces a token long before its end."""
_LONGEST_LABEL: Final = 63
_STOP_SECONDS: Final = 5
"""For ending the processes once all requests are answered."""


def pod_template(gateway: GatewayDeployment, context: DeployContext) -> KubeObject:
    """The template of the gateway's pods."""
    template = gateway.spec.pod_template
    own = {**pod_labels(gateway), GATEWAY_LABEL: instance(gateway)}
    metadata = {"labels": {**template.labels, **own}}
    if template.annotations:
        metadata["annotations"] = dict(template.annotations)
    return {"metadata": metadata, "spec": _pod(gateway, context)}


def _pod(gateway: GatewayDeployment, context: DeployContext) -> KubeObject:
    spec = gateway.spec
    return {
        "serviceAccountName": instance(gateway),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _grace(spec),
        "securityContext": _pod_security(spec),
        "containers": [_container(gateway, context)],
        "volumes": [_token_volume(), *map(_vault_token, audiences(gateway))],
        **_scheduling(gateway),
    }


def _grace(spec: GatewayDeploymentSpec) -> int:
    return math.ceil(spec.pod_template.drain_delay + spec.timeouts.drain) + _STOP_SECONDS


def _pod_security(spec: GatewayDeploymentSpec) -> KubeObject:
    context: KubeObject = {
        "runAsNonRoot": True,
        "runAsUser": _USER,
        "runAsGroup": _USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if has_privileged(spec):
        # A safe sysctl: it holds for the pod's own network alone.
        context["sysctls"] = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    return context


def _scheduling(gateway: GatewayDeployment) -> KubeObject:
    template = gateway.spec.pod_template
    fields = {
        "nodeSelector": dict(template.node_selector),
        "tolerations": [_as_json(toleration) for toleration in template.tolerations],
        "affinity": template.affinity,
        "topologySpreadConstraints": _spread(gateway),
        "priorityClassName": template.priority_class_name,
        "imagePullSecrets": [{"name": secret.name} for secret in template.image_pull_secrets],
    }
    return {name: value for name, value in fields.items() if value}


def _spread(gateway: GatewayDeployment) -> list[KubeObject]:
    counted = {
        "labelSelector": {"matchLabels": pod_labels(gateway)},
        "matchLabelKeys": ["pod-template-hash"],  # pods that are about to go do not count
    }
    return [
        {**_as_json(constraint), **counted}
        for constraint in gateway.spec.pod_template.topology_spread_constraints
    ]


def _as_json(model: BaseModel) -> KubeObject:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def _container(gateway: GatewayDeployment, context: DeployContext) -> KubeObject:
    spec = gateway.spec
    return {
        "name": CONTAINER,
        "image": spec.image or context.image,
        "command": ["penstock"],
        "args": _arguments(gateway),
        "env": [
            _from_pod("POD_NAME", "metadata.name"),
            _from_pod("POD_NAMESPACE", "metadata.namespace"),
            _from_pod("POD_UID", "metadata.uid"),
            # Kubernetes 1.35 and later copy it from the node (KEP-4742); before, it is empty.
            _from_pod("PENSTOCK_ZONE", "metadata.labels['topology.kubernetes.io/zone']"),
        ],
        "ports": _ports(spec),
        **_probes(),
        **_resources(spec),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "api-access", "mountPath": _TOKEN_PATH, "readOnly": True},
            *map(_vault_mount, audiences(gateway)),
        ],
    }


def _arguments(gateway: GatewayDeployment) -> list[str]:
    spec = gateway.spec
    return [
        "gateway",
        f"--name={instance(gateway)}",
        f"--workers={_workers(spec)}",
        f"--admin=0.0.0.0:{admin_port(spec)}",
        f"--drain-delay={spec.pod_template.drain_delay:g}",
        "--log-format=json",
    ]


def _workers(spec: GatewayDeploymentSpec) -> int:
    """As many as the pod has CPUs: it sees all those of its node, whatever its share."""
    cpu = spec.pod_template.resources.cpu
    return spec.workers or max(1, math.ceil(parse_quantity(cpu or "1")))  # type: ignore[no-untyped-call]


def _from_pod(name: str, path: str) -> KubeObject:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def _ports(spec: GatewayDeploymentSpec) -> list[KubeObject]:
    ports: list[KubeObject] = [{"containerPort": port.number, "protocol": "TCP"} for port in reachable(spec)]
    return [*ports, {"name": "admin", "containerPort": admin_port(spec), "protocol": "TCP"}]


def _probes() -> KubeObject:
    ready = {"httpGet": {"path": "/readyz", "port": "admin"}}
    alive = {"httpGet": {"path": "/healthz", "port": "admin"}}
    return {
        "startupProbe": {**ready, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 120},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 2},
        "livenessProbe": {**alive, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
    }


def _resources(spec: GatewayDeploymentSpec) -> KubeObject:
    resources = spec.pod_template.resources
    fields = {"requests": dict(resources.requests), "limits": dict(resources.limits)}
    given = {name: amounts for name, amounts in fields.items() if amounts}
    return {"resources": given} if given else {}


_TOKENS: Final = "/var/run/secrets"
_TOKEN_PATH: Final = f"{_TOKENS}/kubernetes.io/serviceaccount"


def _token_volume() -> KubeObject:
    """What Kubernetes would mount by itself into every container, here for this one alone."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources: list[dict[str, Any]] = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": _TOKEN_SECONDS}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": "api-access", "projected": {"sources": sources}}


def audiences(gateway: GatewayDeployment) -> Iterator[tuple[str, str]]:
    """The providers that log in with a token made for them, and its audience."""
    for provider in gateway.spec.secret_providers:
        if provider.vault is not None:
            auth = provider.vault.auth.kubernetes or provider.vault.auth.jwt
            if auth is not None and auth.audience:
                yield provider.name, auth.audience


def _vault_token(named: tuple[str, str]) -> KubeObject:
    """A token that only Vault takes: it cannot call the Kubernetes API with it."""
    provider, audience = named
    file = PurePosixPath(token_path(provider)).name
    token = {"path": file, "audience": audience, "expirationSeconds": _VAULT_TOKEN_SECONDS}
    return {"name": _volume(provider), "projected": {"sources": [{"serviceAccountToken": token}]}}


def _vault_mount(named: tuple[str, str]) -> KubeObject:
    folder = PurePosixPath(_TOKENS, token_path(named[0])).parent
    return {"name": _volume(named[0]), "mountPath": str(folder), "readOnly": True}


def _volume(provider: str) -> str:
    """A name that is a DNS label, as long as that of the provider may be."""
    name = f"token-{provider}"
    return name if len(name) <= _LONGEST_LABEL else f"token-{short_digest(provider)}"
