"""What an operator that is gone left -> nothing: its own objects, and rights of gateways that are gone.

A gateway's objects in its own namespace go with it. Its rights in other namespaces can have no owner there:
the operator takes them back, but not where it ends at the same time as the gateway, as in `helm uninstall`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from http import HTTPStatus
from typing import Final

from gateway_runtime.cluster.client import ClusterClient, ClusterError
from gateway_runtime.snapshot.parts import GATEWAY_LABEL
from penstock_operator.cluster.kinds import BY_NAME, LEASE, SECRET, ObjectKey
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.leader import LOCK
from penstock_operator.cluster.secrets import SALT_SECRET
from penstock_operator.deploy.identity import NAMESPACE_LABEL, instance_of

_RIGHTS: Final = (BY_NAME["RoleBinding"], BY_NAME["Role"])
_GATEWAYS: Final = BY_NAME["GatewayDeployment"]


async def clean_up(
    client: ClusterClient, namespace: str, watched: Collection[str]
) -> AsyncIterator[ObjectKey]:
    """Deletes what an operator of a namespace left that looked at the namespaces `watched` (none: all)."""
    kube = Kube(client, _uncounted)
    for kind, name in ((SECRET, SALT_SECRET), (LEASE, LOCK)):
        await kube.delete(kind, namespace, name)
        yield ObjectKey(kind.name, namespace, name)
    places = tuple(watched) or ("",)
    there: set[tuple[str, str]] = set()
    for place in places:
        there |= {found async for found in _gateways(kube, place)}
    for place in places:
        async for right, (gateway_namespace, gateway) in _rights(kube, place):
            ours = not watched or gateway_namespace in watched
            if ours and (gateway_namespace, gateway) not in there:
                await kube.delete(BY_NAME[right.kind], right.namespace, right.name)
                yield right


async def _gateways(kube: Kube, place: str) -> AsyncIterator[tuple[str, str]]:
    """The gateways that are there, by namespace and name of their objects."""
    try:
        async for metadata in kube.names(_GATEWAYS, place):
            yield metadata["namespace"], instance_of(metadata["name"])
    except ClusterError as error:
        if error.status != HTTPStatus.NOT_FOUND:  # the kind itself is gone, too
            raise


async def _rights(kube: Kube, place: str) -> AsyncIterator[tuple[ObjectKey, tuple[str, str]]]:
    """Rights that gateways have by Roles of their own for a namespace, and whose they are."""
    for kind in _RIGHTS:
        async for metadata in kube.names(kind, place):
            labels = metadata.get("labels") or {}
            if NAMESPACE_LABEL in labels and GATEWAY_LABEL in labels:
                key = ObjectKey(kind.name, metadata["namespace"], metadata["name"])
                yield key, (labels[NAMESPACE_LABEL], labels[GATEWAY_LABEL])


def _uncounted(_verb: str, _kind: str, _status: int) -> None:
    """No metrics are served here."""
