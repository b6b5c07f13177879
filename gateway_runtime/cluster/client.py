"""Calls of the Kubernetes API that a pod makes, on `kubernetes.aio`, with one kind of error."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic

import aiohttp
import msgspec
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from gateway_runtime.cluster.objects import EVENT, STATUS, DataObject, EndpointSlice, Object, Page

_PAGE_SIZE: Final = 250
_MAX_LINE: Final = 16 << 20
"""A ConfigMap of 1 MiB, each of its characters escaped, fits."""
_MAX_MESSAGE: Final = 64 << 10
_CALL: Final = aiohttp.ClientTimeout(total=30.0, sock_connect=5.0)
_WATCH_SECONDS: Final = (240, 300)
_WATCH: Final = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=100.0)
"""Bookmarks come about once a minute: a watch that is silent for longer has lost its connection."""
_APPLY: Final = "application/apply-patch+yaml"

GONE: Final = 410
SERVICE_LABEL: Final = "kubernetes.io/service-name"
"""On each EndpointSlice of a Service: the Service's name."""


class ClusterError(Exception):
    """A call that failed; `status` is 0 where the API server was not reached."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_passing(self) -> bool:
        """Whether the same call can be expected to work later: the API server is away or busy."""
        return self.status in (0, 429, 500, 502, 503)


@dataclass(frozen=True, slots=True)
class Collection(Generic[Object]):
    """Objects of one kind in one namespace that a selector picks, and how their JSON is read."""

    path: str
    selector: Mapping[str, str]
    one: msgspec.json.Decoder[Object]
    page: msgspec.json.Decoder[Page[Object]]


_DATA: Final = (msgspec.json.Decoder(DataObject), msgspec.json.Decoder(Page[DataObject]))
_SLICES: Final = (msgspec.json.Decoder(EndpointSlice), msgspec.json.Decoder(Page[EndpointSlice]))


def config_maps(namespace: str, labels: str) -> Collection[DataObject]:
    """The ConfigMaps with these labels."""
    return Collection(f"/api/v1/namespaces/{namespace}/configmaps", {"labelSelector": labels}, *_DATA)


def one_secret(namespace: str, name: str) -> Collection[DataObject]:
    """The Secret of that name: the only way to it that a right to just this name allows."""
    selector = {"fieldSelector": f"metadata.name={name}"}
    return Collection(f"/api/v1/namespaces/{namespace}/secrets", selector, *_DATA)


def endpoint_slices(namespace: str) -> Collection[EndpointSlice]:
    """The EndpointSlices of all Services of a namespace."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    return Collection(path, {"labelSelector": SERVICE_LABEL}, *_SLICES)


@dataclass(frozen=True, slots=True)
class Change(Generic[Object]):
    """One event of a watch: ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: Object


class ClusterClient:
    """The API server, as the service account of the pod sees it."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api

    async def pages(self, collection: Collection[Object]) -> AsyncIterator[Page[Object]]:
        """All objects of a collection, all pages as of one moment."""
        token = ""
        while True:
            query = {**collection.selector, "limit": str(_PAGE_SIZE)}
            async with self.call(
                "GET", collection.path, query | ({"continue": token} if token else {})
            ) as got:
                page = collection.page.decode(await got.read())
            yield page
            token = page.metadata.continue_
            if not token:
                return

    @asynccontextmanager
    async def watch(
        self, collection: Collection[Object], version: str
    ) -> AsyncIterator[AsyncIterator[Change[Object]]]:
        """The changes after a resourceVersion, until the API server ends the watch."""
        query = {
            **collection.selector,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(random.randint(*_WATCH_SECONDS)),  # noqa: S311 - so that pods do not come at once
        }
        async with self.call("GET", collection.path, query, limits=_WATCH) as response:
            yield _changes(response, collection)

    async def apply(self, path: str, manifest: Mapping[str, Any], manager: str) -> None:
        """Make an object what it should be, by server-side apply."""
        query = {"fieldManager": manager, "force": "true"}
        async with self.call("PATCH", path, query, body=manifest):
            pass

    async def delete(self, path: str) -> None:
        """Delete an object."""
        async with self.call("DELETE", path, {}):
            pass

    @asynccontextmanager
    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        limits: aiohttp.ClientTimeout = _CALL,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to one call; a body is server-side applied where the headers do not say otherwise.

        Raises ClusterError for an answer of 400 or more, and for none.
        """
        given = (
            {"Accept": "application/json"} | ({"Content-Type": _APPLY} if body else {}) | dict(headers or {})
        )
        try:
            verb, url, fields, content, _ = await self.api.param_serialize(
                method, path, None, list(query.items()), given, body, auth_settings=["BearerToken"]
            )
            answer = await self.api.call_api(verb, url, fields, content, _request_timeout=limits)
            async with answer.response as response:
                if response.status >= 400:
                    raise ClusterError(response.status, await _message(response))
                yield response
        except (aiohttp.ClientError, OSError, TimeoutError, ConfigException) as error:
            raise ClusterError(0, f"{type(error).__name__}: {error}") from error
        except msgspec.DecodeError as error:
            raise ClusterError(0, f"an answer that is not of the Kubernetes API: {error}") from error


@asynccontextmanager
async def connect(kubeconfig: Path | None) -> AsyncIterator[ClusterClient]:
    """A client by a kubeconfig, or by what Kubernetes gives each pod: a token that is read anew each minute.

    Raises ClusterError where there is no such configuration.
    """
    configuration = Configuration()
    try:
        if kubeconfig is None:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await load_kube_config(  # type: ignore[no-untyped-call]
                config_file=str(kubeconfig), client_configuration=configuration
            )
    except ConfigException as error:
        raise ClusterError(0, f"no way to the API server: {error}") from error
    configuration.connection_pool_maxsize = 0  # no limit: each watch holds a connection
    async with ApiClient(configuration) as api:
        yield ClusterClient(api)


async def _message(response: aiohttp.ClientResponse) -> str:
    text = await response.content.read(_MAX_MESSAGE)
    try:
        message = STATUS.decode(text).message
    except msgspec.DecodeError:
        message = ""
    return message or f"the API server answers {response.status}"


async def _changes(
    response: aiohttp.ClientResponse, collection: Collection[Object]
) -> AsyncIterator[Change[Object]]:
    async for line in _lines(response):
        event = EVENT.decode(line)
        if event.type == "ERROR":
            status = STATUS.decode(event.object)
            raise ClusterError(status.code, status.message)
        yield Change(event.type, collection.one.decode(event.object))


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    rest = bytearray()
    async for chunk in response.content.iter_any():
        rest += chunk
        if b"\n" not in chunk:
            if len(rest) > _MAX_LINE:
                raise ClusterError(0, f"an event of more than {_MAX_LINE} bytes")
            continue
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield bytes(line)
