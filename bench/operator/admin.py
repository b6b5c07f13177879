"""The administrator of the cluster: many objects at once, edits, and what the API server counts."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from bench.operator.objects import Json, path_of
from e2e.components.control_plane import ControlPlane

_AT_ONCE = 24
_LINE = 8 << 20


class Admin:
    """Calls of the Kubernetes API with all rights."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def create(self, groups: Iterable[list[Json]]) -> None:
        """Create the objects of all groups: several groups at once, those of one in their order."""
        places = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for group in groups:
                await places.acquire()
                task = tasks.create_task(self._create(group))
                task.add_done_callback(lambda _: places.release())

    async def _create(self, group: list[Json]) -> None:
        for made in group:
            await self.call("POST", path_of(made).rpartition("/")[0], made)

    async def patch(self, path: str, change: Json) -> Json:
        """A merge patch."""
        return await self.call("PATCH", path, change, "application/merge-patch+json")

    async def call(
        self, method: str, path: str, body: Json | None = None, media_type: str = "application/json"
    ) -> Json:
        """One call; raises RuntimeError where it fails."""
        data = None if body is None else msgspec.json.encode(body)
        async with self._session.request(
            method, path, data=data, headers={"Content-Type": media_type}
        ) as answer:
            text = await answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
            found: Json = json.loads(text)
            return found

    async def exists(self, path: str) -> bool:
        """Whether an object is there."""
        async with self._session.get(path) as answer:
            return answer.status == 200

    async def requests(self) -> Counter[tuple[str, str]]:
        """The requests that the API server has answered, by verb and resource (`pods/status`)."""
        async with self._session.get("/metrics") as answer:
            text = await answer.text()
        lines = [line for line in text.splitlines() if "apiserver_request_total" in line]
        return _counts("\n".join(lines))

    @asynccontextmanager
    async def watch(self, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of a watch, first of what is there; none where the API server is not ready for it."""
        limits = aiohttp.ClientTimeout(total=None)
        query = {"watch": "true", "resourceVersion": "0"}
        async with self._session.get(path, params=query, timeout=limits) as answer:
            yield aiter(answer.content) if answer.status == 200 else _nothing()


async def _nothing() -> AsyncIterator[bytes]:
    lines: tuple[bytes, ...] = ()
    for line in lines:
        yield line


def _counts(text: str) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "apiserver_request_total":
                labels = sample.labels
                resource = "/".join(filter(None, (labels["resource"], labels["subresource"])))
                found[labels["verb"], resource] += int(sample.value)
    return found


@asynccontextmanager
async def administrator(plane: ControlPlane) -> AsyncIterator[Admin]:
    """The administrator of a control plane."""
    context: Any = ssl.create_default_context(cafile=plane.authority)
    async with aiohttp.ClientSession(
        plane.url,
        connector=aiohttp.TCPConnector(ssl=context, limit=0),
        headers={"Authorization": f"Bearer {plane.token}"},
        read_bufsize=_LINE,
    ) as session:
        yield Admin(session)
