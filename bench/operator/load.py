"""A steady load on the runtime, by connections that are kept: what fails is counted."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.operator.edits import ask
from e2e.components.ports import ADDRESS

_CLIENTS = 8
_REST = 0.04


@dataclass(slots=True)
class Load:
    """What the clients of a load saw."""

    begun: float = field(default_factory=time.monotonic)
    requests: int = 0
    failed: int = 0
    slowest: float = 0.0
    examples: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """As it is written to the results."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "per_second": round(self.requests / (time.monotonic() - self.begun)),
            "slowest_ms": round(self.slowest * 1000, 1),
            "examples": self.examples[:5],
        }


@asynccontextmanager
async def steady_load(port: int, apis: int) -> AsyncIterator[Load]:
    """About 200 requests a second to random APIs while the block runs."""
    load = Load()
    async with aiohttp.ClientSession(f"http://{ADDRESS}:{port}") as session:
        tasks = [asyncio.create_task(_client(session, apis, load)) for _ in range(_CLIENTS)]
        try:
            yield load
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _client(session: aiohttp.ClientSession, apis: int, load: Load) -> None:
    while True:
        begun = time.monotonic()
        try:
            status, marker = await ask(session, random.randrange(apis))
            problem = "" if status == 200 and marker else f"status {status}"
        except aiohttp.ClientError as error:
            problem = repr(error)
        load.requests += 1
        load.slowest = max(load.slowest, time.monotonic() - begun)
        if problem:
            load.failed += 1
            load.examples.append(problem)
        await asyncio.sleep(_REST)
