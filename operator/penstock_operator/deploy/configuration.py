"""What a gateway serves -> the ConfigMaps that its pods follow, and the Secret with its pepper."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from gateway_runtime.snapshot.parts import DATA_KEY, Part
from penstock_operator.deploy.identity import instance, labels, owned, owner_reference
from penstock_operator.deploy.rights import pepper_name
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kube import KubeObject

PEPPER_KEY = "pepper"


def config_maps(gateway: GatewayDeployment, parts: Iterable[Part]) -> tuple[KubeObject, ...]:
    """The ConfigMap of each part; equal digests of sections mean equal ConfigMaps."""
    return tuple(_config_map(gateway, part) for part in parts)


def pepper_secret(gateway: GatewayDeployment, value: bytes) -> KubeObject:
    """The Secret with the pepper; it is made once, as another value would make all keys unknown."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {**owned(gateway), "name": pepper_name(gateway)},
        "data": {PEPPER_KEY: base64.b64encode(value).decode()},
    }


def _config_map(gateway: GatewayDeployment, part: Part) -> KubeObject:
    name = instance(gateway)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": part.name(name),
            "namespace": gateway.metadata.namespace,
            "labels": {**labels(gateway), **part.labels(name)},
            "annotations": part.annotations(),
            "ownerReferences": [owner_reference(gateway)],
        },
        "data": {DATA_KEY: part.data},
    }
