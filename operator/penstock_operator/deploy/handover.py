"""Leaves the number of pods to an autoscaler without a moment at which it falls to the default of one.

Server-side apply resets a field that its only manager no longer names. So, before a Deployment is applied
without its `replicas`, another manager takes the number over as it is; the autoscaler goes on from there.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
"""

from __future__ import annotations

from typing import Final

from penstock_operator.deploy.identity import MANAGER
from penstock_operator.resources.kube import KubeObject

HANDOVER_MANAGER: Final = "penstock-handover"
"""The field manager that what `handover` answers is to be applied by, first."""


def handover(desired: KubeObject, observed: KubeObject) -> KubeObject | None:
    """What to apply before the wanted Deployment; None where its number of pods changes no hands.

    `observed` needs its `managedFields`.
    """
    if desired["kind"] != "Deployment" or "replicas" in desired["spec"] or not _holds_replicas(observed):
        return None
    metadata = {name: desired["metadata"][name] for name in ("name", "namespace")}
    return {
        "apiVersion": desired["apiVersion"],
        "kind": desired["kind"],
        "metadata": metadata,
        "spec": {"replicas": observed["spec"]["replicas"]},
    }


def _holds_replicas(observed: KubeObject) -> bool:
    return any(
        entry["manager"] == MANAGER and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in observed["metadata"].get("managedFields", ())
    )
