"""A GatewayDeployment -> the names, labels and owner of its objects.

Objects are named after the GatewayDeployment. Its name may be longer than that of a Service or the value of
a label, or hold dots: then a shortened one with a digest stands for it everywhere, in the pods too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from gateway_runtime.snapshot.parts import GATEWAY_LABEL
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.meta import API_VERSION, Resource

MANAGER: Final = "penstock"
"""The field manager, and the value of the label `app.kubernetes.io/managed-by`."""

MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
NAMESPACE_LABEL: Final = "penstock.dev/gateway-namespace"
"""On objects that may be in another namespace than their GatewayDeployment: its namespace."""

_LONGEST: Final = 40
"""Leaves room for suffixes, and for those of pods, in the 63 characters of a DNS label (RFC 1123)."""
_DNS_LABEL: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def instance(gateway: GatewayDeployment) -> str:
    """The name of a gateway's objects, and the value of its label: a DNS label (RFC 1035)."""
    return instance_of(gateway.metadata.name)


def instance_of(name: str) -> str:
    """`instance` of a GatewayDeployment of which only the name is known."""
    if len(name) <= _LONGEST and _DNS_LABEL.fullmatch(name):
        return name
    readable = name.replace(".", "-")[: _LONGEST - 11].strip("-")
    prefix = readable if readable[:1].isalpha() else f"g{readable}"
    return f"{prefix}-{short_digest(name)}"


def short_digest(text: str) -> str:
    """Ten characters that stand for a text in names."""
    return blake2b(text.encode(), digest_size=5).hexdigest()


def pod_labels(gateway: GatewayDeployment) -> dict[str, str]:
    """The labels that choose a gateway's pods; those of a Deployment cannot be changed."""
    return {"app.kubernetes.io/name": "penstock-gateway", "app.kubernetes.io/instance": instance(gateway)}


def labels(gateway: GatewayDeployment) -> dict[str, str]:
    """The labels of all objects of a gateway."""
    return {**pod_labels(gateway), MANAGED_BY_LABEL: MANAGER, GATEWAY_LABEL: instance(gateway)}


def owner_reference(owner: Resource) -> dict[str, object]:
    """What lets Kubernetes delete an object of the same namespace with its owner."""
    return {
        "apiVersion": API_VERSION,
        "kind": owner.kind,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owned(
    gateway: GatewayDeployment, suffix: str = "", annotations: Mapping[str, str] | None = None
) -> KubeObject:
    """The metadata of an object in the gateway's own namespace."""
    return {
        "name": instance(gateway) + suffix,
        "namespace": gateway.metadata.namespace,
        "labels": labels(gateway),
        **({"annotations": dict(annotations)} if annotations else {}),
        "ownerReferences": [owner_reference(gateway)],
    }


def is_of(gateway: GatewayDeployment, observed: KubeObject) -> bool:
    """Whether an object is one that the operator made for a gateway; what is not is never to be touched.

    An owner tells it, whatever became of the labels; where there can be none the labels do.
    """
    metadata = observed["metadata"]
    owners = metadata.get("ownerReferences")
    if owners:
        return any(owner["uid"] == gateway.metadata.uid and owner.get("controller") for owner in owners)
    found = metadata.get("labels") or {}
    wanted = {**labels(gateway), NAMESPACE_LABEL: gateway.metadata.namespace}
    return all(found.get(name) == value for name, value in wanted.items())
