"""A small server with the part of the Kubernetes API that the operator calls, and a client of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from gateway_runtime.cluster.client import ClusterClient
from penstock_operator.cluster.kube import Kube
from penstock_operator.resources.kube import KubeObject


class ApiServer:
    """Objects by their path; `failing` names paths (or parts of them) that answer with 500."""

    def __init__(self) -> None:
        self.objects: dict[str, KubeObject] = {}
        self.writes: list[tuple[str, str, Any]] = []
        self.failing: set[str] = set()
        self.on_read: Callable[[], None] = lambda: None
        """Called before an answer to a read is made."""

    def add(self, path: str, **metadata: Any) -> None:
        """An object of which only the metadata matters."""
        _, _, rest = path.rpartition("/namespaces/")
        parts = rest.split("/")
        self.objects[path] = {"metadata": {"namespace": parts[0], "name": parts[-1], **metadata}}

    async def answer(self, request: web.Request) -> web.Response:
        """One call."""
        path = request.path
        if any(part in path for part in self.failing):
            return web.json_response({"message": "out of order"}, status=500)
        if request.method == "GET":
            self.on_read()
            return self._read(path)
        text = await request.text()
        self.writes.append((request.method, path, json.loads(text) if text else None))
        return self._write(request.method, path)

    def _read(self, path: str) -> web.Response:
        if path in self.objects:
            return web.json_response(self.objects[path])
        plural = path.rpartition("/")[2]
        items = [one for place, one in self.objects.items() if place.split("/")[-2] == plural]
        if not items and path.count("/") % 2 == 0 and "namespaces" in path:
            return web.json_response({"message": "not found"}, status=404)
        return web.json_response({"items": items, "metadata": {}})

    def _write(self, method: str, path: str) -> web.Response:
        body = self.writes[-1][2]
        if method == "DELETE":
            found = self.objects.pop(path, None)
            return web.json_response(found or {}, status=200 if found else 404)
        where = path if method == "PATCH" else f"{path}/{body['metadata']['name']}"
        if method == "POST" and where in self.objects:
            return web.json_response({"message": "already exists"}, status=409)
        made = {**body, "metadata": {**body["metadata"], "resourceVersion": str(1000 + len(self.writes))}}
        if not where.endswith("/status"):
            self.objects[where] = made
        return web.json_response(made)


@asynccontextmanager
async def kube_of(server: ApiServer) -> AsyncIterator[Kube]:
    """The operator's calls to a server that runs meanwhile."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0]
    async with ApiClient(Configuration(host=f"http://{address[0]}:{address[1]}")) as api:
        yield Kube(ClusterClient(api), lambda *_: None)
    await runner.cleanup()
