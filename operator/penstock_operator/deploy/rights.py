"""A GatewayDeployment -> the ServiceAccount of its pods and just the rights that they use.

Pods list nothing but the ConfigMaps of their own namespace and the EndpointSlices where their backends are,
and read Secrets by exact name alone. Each namespace has Roles of its own; those outside of the gateway's
namespace have no owner, which Kubernetes allows within a namespace only: they are found by their labels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from penstock_operator.deploy.identity import (
    NAMESPACE_LABEL,
    instance,
    labels,
    owned,
    owner_reference,
    short_digest,
)
from penstock_operator.deploy.stamp import stamped
from penstock_operator.resources.gateway_deployment import GatewayDeployment, gateway_secrets
from penstock_operator.resources.kube import KubeObject

_READ: Final = ("get", "list", "watch")
_RBAC: Final = "rbac.authorization.k8s.io"


def service_account(gateway: GatewayDeployment) -> KubeObject:
    """The pods' ServiceAccount."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": owned(gateway, annotations=gateway.spec.service_account.annotations),
        "automountServiceAccountToken": False,
    }


def own_rights(gateway: GatewayDeployment) -> tuple[KubeObject, KubeObject]:
    """What pods may do in their own namespace: follow their configuration, and report by a Lease."""
    metadata = owned(gateway)
    rules = [
        _rule("", "configmaps", _READ),
        _rule("", "secrets", _READ, sorted({pepper_name(gateway), *_secrets(gateway)})),
        _rule("coordination.k8s.io", "leases", ("create", "delete", "get", "patch", "update")),
    ]
    return _role(metadata, rules), _binding(metadata, gateway)


def secret_rights(gateway: GatewayDeployment, secrets: Iterable[tuple[str, str]]) -> tuple[KubeObject, ...]:
    """A Role and its RoleBinding for each namespace of Secrets, named by (namespace, name)."""
    by_namespace: defaultdict[str, set[str]] = defaultdict(set)
    for namespace, name in secrets:
        by_namespace[namespace].add(name)
    return tuple(
        found
        for namespace in sorted(by_namespace)
        for found in _readers(gateway, namespace, sorted(by_namespace[namespace]))
    )


def _secrets(gateway: GatewayDeployment) -> Iterator[str]:
    """The names of the Secrets that the gateway reads for itself."""
    return (reference.name for reference, _ in gateway_secrets(gateway.spec))


def discovery_rights(gateway: GatewayDeployment, namespaces: Iterable[str]) -> tuple[KubeObject, ...]:
    """A Role and its RoleBinding for each namespace whose Services the pods follow.

    Kubernetes makes the names of EndpointSlices, and RBAC knows no labels: all of a namespace are readable.
    """
    return tuple(found for namespace in sorted(set(namespaces)) for found in _followers(gateway, namespace))


def pepper_name(gateway: GatewayDeployment) -> str:
    """The name of the Secret with the gateway's pepper."""
    return f"{instance(gateway)}-pepper"


def _readers(gateway: GatewayDeployment, namespace: str, names: list[str]) -> tuple[KubeObject, KubeObject]:
    metadata = _named(gateway, namespace)
    role = _role(metadata, [_rule("", "secrets", _READ, names)])
    return stamped(role), stamped(_binding(metadata, gateway))


def _followers(gateway: GatewayDeployment, namespace: str) -> tuple[KubeObject, KubeObject]:
    metadata = _named(gateway, namespace, "-endpoints")
    role = _role(metadata, [_rule("discovery.k8s.io", "endpointslices", _READ)])
    return stamped(role), stamped(_binding(metadata, gateway))


def _named(gateway: GatewayDeployment, namespace: str, suffix: str = "") -> KubeObject:
    """The metadata of a gateway's rights in some namespace."""
    own = gateway.metadata.namespace
    return {
        # The digest keeps gateways of one name in several namespaces apart.
        "name": f"penstock-{instance(gateway)}-{short_digest(gateway.key)}{suffix}",
        "namespace": namespace,
        "labels": {**labels(gateway), NAMESPACE_LABEL: own},
        **({"ownerReferences": [owner_reference(gateway)]} if namespace == own else {}),
    }


def _rule(group: str, resource: str, verbs: Iterable[str], names: list[str] | None = None) -> KubeObject:
    rule: KubeObject = {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
    return rule | {"resourceNames": names} if names else rule


def _role(metadata: KubeObject, rules: list[KubeObject]) -> KubeObject:
    return {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules}


def _binding(metadata: KubeObject, gateway: GatewayDeployment) -> KubeObject:
    account = {"kind": "ServiceAccount", "name": instance(gateway), "namespace": gateway.metadata.namespace}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": metadata["name"]},
        "subjects": [account],
    }
