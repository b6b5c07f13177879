"""Gateways as processes of their own; each is ended with its test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from running import Backend, Client, Running, Start, free_ports


@pytest.fixture
def port() -> int:
    """A free port for a listener."""
    return free_ports(1)[0]


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    yield made
    made.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a gateway from manifests: keywords are files of its folder, positional ones are options."""
    running: list[Running] = []

    def begin(*options: str, **files: str) -> Running:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        running.append(Running(tmp_path, *options))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[int], Awaitable[Client]]]:
    """Connect to a port."""
    clients: list[Client] = []

    async def begin(port: int) -> Client:
        clients.append(await Client.connect(port))
        return clients[-1]

    yield begin
    for client in clients:
        await client.close()
