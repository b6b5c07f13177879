"""What all workers of a pod serve, and what they cannot, to the Lease by which the operator hears of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from gateway_runtime.cluster.client import ClusterClient, ClusterError
from gateway_runtime.cluster.reflector import Backoff
from gateway_runtime.snapshot.parts import GATEWAY_LABEL

VERSION_ANNOTATION: Final = "penstock.dev/resource-version"
"""The resourceVersion up to which the changes of all ConfigMaps are served by all workers."""
ERRORS_ANNOTATION: Final = "penstock.dev/errors"
"""A JSON object: what the pod cannot serve as published, by API; empty is the key of the gateway itself."""
MANAGED_BY: Final = "penstock"
DURATION: Final = 30
"""Seconds without a renewal after which a pod counts as dead."""

_MANAGER: Final = "penstock-gateway"
_RENEWAL: Final = 10.0
_PACE: Final = 0.05
"""Seconds between two writes at least."""
_ATTEMPT: Final = 5.0
"""Seconds for one write: several fit into the time after which the pod counts as dead."""
_MAX_ERRORS: Final = 50
_MAX_BYTES: Final = 16 << 10
_MAX_TEXT: Final = 300
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pod:
    """Who serves; `uid` is empty where it is not known, and then nobody owns the Lease.

    `zone` is that of its node (topology.kubernetes.io/zone), empty where it is not known.
    """

    gateway: str
    namespace: str
    name: str
    uid: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """What all workers serve: up to which resourceVersion, and what not."""

    version: int
    errors: Mapping[str, str]


class LeaseReporter:
    """Keeps the Lease of a pod; while the API server is away it tries again and holds up nothing."""

    def __init__(self, client: ClusterClient, pod: Pod) -> None:
        self._client = client
        self._pod = pod
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{pod.namespace}/leases/{pod.name}"
        self._changed = asyncio.Event()
        self._served: Served | None = None

    def tell(self, served: Served) -> None:
        """All workers serve this now."""
        if served != self._served:
            self._served = served
            self._changed.set()

    async def run(self) -> NoReturn:
        """Write after each change, and renew."""
        await self._changed.wait()
        backoff = Backoff(_ATTEMPT)
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(_ATTEMPT):
                    await self._write()
            except Exception as error:  # whatever the trouble is, it is no reason to stop reporting
                _LOG.warning("the Lease cannot be written: %s", str(error) or "too slow")
                await asyncio.sleep(backoff.pause())
                continue
            backoff.reset()
            await asyncio.sleep(_PACE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _RENEWAL - _PACE)

    async def end(self) -> None:
        """Delete the Lease: from now on the pod drains. Nothing else may write it any more."""
        try:
            async with asyncio.timeout(_ATTEMPT):
                await self._client.delete(self._path)
        except (ClusterError, TimeoutError) as error:
            _LOG.warning("the Lease cannot be deleted, it ends by itself: %s", str(error) or "too slow")

    async def _write(self) -> None:
        assert self._served is not None
        now = datetime.now(UTC)
        await self._client.apply(self._path, lease(self._pod, self._served, now), _MANAGER)


def lease(pod: Pod, served: Served, now: datetime) -> dict[str, Any]:
    """The Lease of a pod."""
    metadata: dict[str, Any] = {
        "name": pod.name,
        "namespace": pod.namespace,
        "labels": {GATEWAY_LABEL: pod.gateway, "app.kubernetes.io/managed-by": MANAGED_BY},
        "annotations": {
            VERSION_ANNOTATION: str(served.version),
            ERRORS_ANNOTATION: errors_text(served.errors),
        },
    }
    if pod.uid:
        owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
        metadata["ownerReferences"] = [owner]
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": pod.name,
            "leaseDurationSeconds": DURATION,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


def errors_text(errors: Mapping[str, str]) -> str:
    """The errors as JSON of bounded size; where some are left out, the gateway's own error says how many."""
    kept: dict[str, str] = {}
    size = 2
    for key in sorted(errors):
        text = errors[key][:_MAX_TEXT]
        size += len(json.dumps({key: text}))
        if len(kept) == _MAX_ERRORS - 1 or size > _MAX_BYTES - _MAX_TEXT:
            break
        kept[key] = text
    left = len(errors) - len(kept)
    if left:
        more = f"{left} more errors"
        kept[""] = f"{kept[''][: _MAX_TEXT - len(more) - 2]}; {more}" if "" in kept else more
    return json.dumps(kept, sort_keys=True)
