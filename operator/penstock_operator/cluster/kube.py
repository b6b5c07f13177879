"""Calls of the Kubernetes API that the operator makes, as JSON data, each counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from gateway_runtime.cluster.client import ClusterClient, ClusterError
from penstock_operator.cluster.kinds import BY_NAME, Kind
from penstock_operator.resources.kube import KubeObject

MANAGER: Final = "penstock"
_APPLY: Final = "application/apply-patch+yaml"
_NAMES_ONLY: Final = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
_JSON: Final = "application/json"
_PAGE: Final = "500"

Count = Callable[[str, str, int], None]
"""Told of each call: the verb, the kind, and the HTTP status (0: the API server was not reached)."""


@dataclass(frozen=True, slots=True)
class _Body:
    """What a call sends."""

    data: Mapping[str, Any]
    media_type: str


class Kube:
    """The API server, as the operator's service account sees it."""

    def __init__(self, client: ClusterClient, count: Count) -> None:
        self._client = client
        self._count = count

    async def get(self, kind: Kind, namespace: str, name: str) -> KubeObject | None:
        """One object; None where there is none."""
        try:
            return await self._call("GET", kind, kind.path(namespace, name))
        except ClusterError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def apply(self, wanted: KubeObject, manager: str = MANAGER) -> KubeObject:
        """Make an object what it should be, by server-side apply; answers what it is now."""
        kind, metadata = BY_NAME[wanted["kind"]], wanted["metadata"]
        path = kind.path(metadata.get("namespace", ""), metadata["name"])
        query = {"fieldManager": manager, "force": "true"}
        return await self._call("PATCH", kind, path, query, _Body(wanted, _APPLY))

    async def create(self, made: KubeObject) -> KubeObject:
        """Make an object that must not be there yet."""
        kind = BY_NAME[made["kind"]]
        path = kind.path(made["metadata"].get("namespace", ""))
        return await self._call("POST", kind, path, {"fieldManager": MANAGER}, _Body(made, _JSON))

    async def patch_status(
        self, kind: Kind, namespace: str, name: str, status: Mapping[str, Any]
    ) -> KubeObject:
        """Replace an object's status."""
        path = kind.path(namespace, name) + "/status"
        query = {"fieldManager": f"{MANAGER}-status", "force": "true"}
        body = {
            "apiVersion": kind.api_version,
            "kind": kind.name,
            "metadata": {"name": name, "namespace": namespace},
            "status": status,
        }
        return await self._call("PATCH", kind, path, query, _Body(body, _APPLY))

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str = "") -> None:
        """Delete an object (of that uid, where it is given); one that is gone already is no error."""
        body = _Body({"preconditions": {"uid": uid}}, _JSON) if uid else None
        try:
            await self._call("DELETE", kind, kind.path(namespace, name), {}, body)
        except ClusterError as error:
            if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                raise

    async def names(self, kind: Kind, namespace: str) -> AsyncIterator[Mapping[str, Any]]:
        """The metadata of all objects of a kind."""
        query = {"limit": _PAGE} | ({"labelSelector": kind.selector} if kind.selector else {})
        token = ""
        while True:
            page = await self._call(
                "GET",
                kind,
                kind.path(namespace),
                query | ({"continue": token} if token else {}),
                accept=_NAMES_ONLY,
            )
            for item in page.get("items") or ():
                yield item["metadata"]
            token = (page.get("metadata") or {}).get("continue", "")
            if not token:
                return

    async def _call(
        self,
        method: str,
        kind: Kind,
        path: str,
        query: Mapping[str, str] | None = None,
        body: _Body | None = None,
        *,
        accept: str = "application/json",
    ) -> KubeObject:
        headers = {"Accept": accept} | ({"Content-Type": body.media_type} if body else {})
        data = body.data if body else None
        status = 0
        try:
            async with self._client.call(method, path, query or {}, body=data, headers=headers) as response:
                status = response.status
                answer: KubeObject = msgspec.json.decode(await response.read())
                return answer
        except ClusterError as error:
            status = error.status
            raise
        finally:
            self._count(method, kind.name, status)
