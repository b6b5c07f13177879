"""What a store follows, by whom, and what it tells; providers of the tests' own are behind the interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NoReturn

import pytest

from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes, SecretText
from gateway_runtime.secrets.registry import Surroundings
from gateway_runtime.secrets.store import ProviderState, SecretStore
from gateway_runtime.snapshot.providers import SecretProvider, VaultProvider, VaultToken
from gateway_runtime.snapshot.wire import SecretRef

CREDENTIAL = "kubernetes/gateways/login:token"
A, B, OTHER = "vault/main/kv/a:one", "vault/main/kv/a:two", "vault/main/kv/b:one"


class Provider:
    """Tells of what the test says."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.followed: list[tuple[str, float]] = []
        self.retries = 0
        self.closed = False

    def describe(self, path: str) -> str:
        return f"document {path}"

    async def follow(self, path: str, refresh: float, document: Document) -> NoReturn:
        self.followed.append((path, refresh))
        self.documents[path] = document
        try:
            while True:
                await asyncio.Event().wait()
        finally:
            if self.documents.get(path) is document:
                del self.documents[path]

    def retry(self) -> None:
        self.retries += 1

    async def close(self) -> None:
        self.closed = True

    def put(self, path: str, **values: str) -> None:
        self.documents[path].put({key: SecretBytes(value.encode()) for key, value in values.items()})


class World:
    """A store, and the providers that it made."""

    def __init__(self) -> None:
        self.kubernetes = Provider()
        self.made: list[Provider] = []
        self.changes = 0
        self.store = SecretStore(self.kubernetes, self._changed, make=self._make)

    def _changed(self) -> None:
        self.changes += 1

    def _make(self, wire: SecretProvider, surroundings: Surroundings) -> Provider:
        self.made.append(Provider())
        return self.made[-1]

    async def want(self, *uris: str, refreshes: dict[str, float] | None = None, address: str = "x") -> None:
        auth = VaultToken(token=SecretRef(uri=CREDENTIAL))
        provider = VaultProvider(name="main", address=address, auth=auth)
        self.store.want((provider,), uris, refreshes or {})
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.store.stop()


async def test_a_document_is_followed_once_at_the_shortest_time_that_is_asked_for(world: World) -> None:
    await world.want(A, B, OTHER, refreshes={A: 60.0, B: 20.0})
    assert sorted(world.made[0].followed) == [("kv/a", 20.0), ("kv/b", 0.0)]
    await world.want(A, B, OTHER, refreshes={A: 60.0, B: 20.0})
    assert len(world.made[0].followed) == 2


async def test_another_time_follows_anew_and_keeps_the_value(world: World) -> None:
    await world.want(A)
    world.made[0].put("kv/a", one="1")
    await world.want(A, refreshes={A: 5.0})
    assert world.made[0].followed == [("kv/a", 0.0), ("kv/a", 5.0)]
    assert world.store.value(A) == SecretText("1")


async def test_what_is_not_wanted_any_more_is_forgotten(world: World) -> None:
    await world.want(A, OTHER)
    world.made[0].put("kv/a", one="1")
    await world.want(OTHER)
    assert world.store.value(A) is None
    assert set(world.made[0].documents) == {"kv/b"}
    await world.want()
    assert world.store.states() == []


async def test_a_provider_that_is_configured_anew_keeps_its_values(world: World) -> None:
    await world.want(A)
    world.made[0].put("kv/a", one="1")
    await world.want(A, address="y")
    assert world.made[0].closed
    assert world.made[1].followed == [("kv/a", 0.0)]
    assert world.store.value(A) == SecretText("1")


async def test_credentials_are_followed_with_their_provider_and_a_change_has_it_try_again(
    world: World,
) -> None:
    await world.want(A)
    assert set(world.kubernetes.documents) == {"gateways/login"}
    world.kubernetes.put("gateways/login", token="t", other="o")
    assert world.made[0].retries == 1
    world.kubernetes.put("gateways/login", token="t", other="p")
    assert world.made[0].retries == 1
    world.kubernetes.put("gateways/login", token="u", other="p")
    assert world.made[0].retries == 2
    await world.want()
    assert world.kubernetes.documents == {}


async def test_states_tell_the_oldest_age_and_all_failures_of_a_provider(world: World) -> None:
    await world.want(A, OTHER)
    for path in ("kv/a", "kv/b"):
        world.made[0].put(path, one="1")
        world.made[0].documents[path].live()
    world.kubernetes.put("gateways/login", token="t")
    world.kubernetes.documents["gateways/login"].live()
    assert world.store.states() == [
        ProviderState("kubernetes", 1, 0.0, 0),
        ProviderState("vault/main", 2, 0.0, 0),
    ]
    world.made[0].documents["kv/b"].trouble("away")
    await world.want(A)
    assert world.store.states()[1].failures == 1, "failures of forgotten documents count on"


async def test_each_change_is_told(world: World) -> None:
    await world.want(A)
    world.made[0].put("kv/a", one="1")
    told = world.changes
    world.made[0].put("kv/a", one="1")
    assert world.changes == told
    world.made[0].put("kv/a", one="2")
    assert world.changes == told + 1
