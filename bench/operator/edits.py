"""Single edits of random APIs: from the moment the change is sent until the runtime answers with it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass

import aiohttp

from bench.operator.admin import Admin
from bench.operator.objects import MARKER, NAMESPACE, api_key, api_name, edit
from bench.operator.progress import Progress
from bench.operator.site import Process, writes_of
from e2e.components.ports import ADDRESS

_POLL = 0.004
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: milliseconds until the API server said yes and until it was served; the operator's writes."""

    accepted_ms: float
    served_ms: float
    writes: Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Scene:
    """What edits are made on."""

    admin: Admin
    operator: Process
    progress: Progress
    port: int
    apis: int


async def edit_often(scene: Scene, times: int, chance: random.Random) -> list[Edit]:
    """So many edits, one after the other, each of another API."""
    async with aiohttp.ClientSession(f"http://{ADDRESS}:{scene.port}") as session:
        found = []
        for index in chance.sample(range(scene.apis), times):
            found.append(await _edit(scene, session, index))
            await asyncio.sleep(chance.uniform(0.1, 0.5))
        return found


async def _edit(scene: Scene, session: aiohttp.ClientSession, index: int) -> Edit:
    before = await scene.operator.calls()
    name, value = api_name(index), f"edit-{time.monotonic_ns()}"
    path = f"/apis/penstock.dev/v1alpha1/namespaces/{NAMESPACE}/apidefinitions/{name}"
    begun = time.monotonic()
    sent = asyncio.create_task(scene.admin.patch(path, edit(value)))
    served = asyncio.create_task(_until_served(session, index, value))
    changed = await sent
    accepted = time.monotonic()
    end = await served
    await scene.progress.until_api(name, changed["metadata"]["generation"], _PATIENCE)
    writes = writes_of(await scene.operator.calls() - before)
    return Edit((accepted - begun) * 1000, (end - begun) * 1000, writes)


async def _until_served(session: aiohttp.ClientSession, index: int, value: str) -> float:
    """Ask again and again; answers when the new value was there."""
    deadline = time.monotonic() + _PATIENCE
    while await ask(session, index) != (200, value):
        if time.monotonic() > deadline:
            raise RuntimeError(f"an edit of {api_name(index)} was not served within {_PATIENCE:g} s")
        await asyncio.sleep(_POLL)
    return time.monotonic()


async def ask(session: aiohttp.ClientSession, index: int) -> tuple[int, str]:
    """The status and the marker of one answer."""
    headers = {"X-Api-Key": api_key(index)}
    async with session.get(f"/{api_name(index)}/items", headers=headers) as answer:
        await answer.read()
        return answer.status, answer.headers.get(MARKER, "")
