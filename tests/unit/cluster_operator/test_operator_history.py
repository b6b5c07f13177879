"""Accepted APIs -> revisions in the cluster, and back after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from api_server import ApiServer, kube_of
from cluster_world import API, BROKEN, NOW, World, api, shop

from penstock_operator.cluster.history import History
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.pipeline import ClusterPipeline
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.kube import KubeObject


class Kept:
    """A shop whose accepted states are kept as revisions."""

    def __init__(self, kube: Kube, server: ApiServer) -> None:
        self.kube = kube
        self.server = server
        self.world = shop()
        self.history = History(kube, self.world.observed)

    async def settle(self) -> int:
        """Write until there is nothing more to write; answers how many writes it took."""
        count = 0
        while True:
            graph = self.world.run().graph
            broken = frozenset(
                one.id for one in graph.reports if any(found.is_error for found in one.findings)
            )
            writes = list(self.history.writes(graph, broken, NOW))
            if not writes:
                return count
            for write in writes:
                await write.call()
            count += len(writes)

    @property
    def numbers(self) -> list[int]:
        return sorted(one["revision"] for path, one in self.server.objects.items() if "revisions" in path)

    def there(self, world: World) -> dict[ResourceId, KubeObject]:
        return {name: one.manifest.data for name, one in world.store.resources.items()}


@pytest.fixture
async def kept() -> AsyncIterator[Kept]:
    server = ApiServer()
    async with kube_of(server) as kube:
        yield Kept(kube, server)


async def test_an_accepted_edit_is_one_write(kept: Kept) -> None:
    assert await kept.settle() == 1
    kept.world.put(api(version=2, description="two"))
    assert await kept.settle() == 1
    assert kept.numbers == [1, 2]


async def test_a_broken_edit_makes_no_revision(kept: Kept) -> None:
    await kept.settle()
    kept.world.put(api(version=2, **BROKEN))
    assert await kept.settle() == 0


async def test_no_more_revisions_are_kept_than_the_api_wants(kept: Kept) -> None:
    for version in range(1, 6):
        kept.world.put(api(version=version, description=str(version), revisionHistoryLimit=2))
        await kept.settle()
    assert kept.numbers == [4, 5]


async def test_a_broken_api_is_served_out_of_its_history_after_a_restart(kept: Kept) -> None:
    kept.world.put(api(version=2, description="good"))
    await kept.settle()
    kept.world.put(api(version=3, description="bad", **BROKEN))
    kept.world.pipeline = ClusterPipeline()
    lost = kept.world.run().lost
    found = await History(kept.kube, kept.world.observed).good_versions(lost, kept.there(kept.world))
    resource = found[API].resource
    assert isinstance(resource, ApiDefinition)
    assert (resource.spec.description, resource.metadata.uid) == ("good", "uid-of-orders")
    kept.world.pipeline.remember(found)
    assert "shop/orders" in kept.world.run().snapshots["shop/edge"].apis


async def test_an_api_without_history_is_asked_for_once(kept: Kept) -> None:
    kept.world.put(api(version=2, **BROKEN))
    there = kept.there(kept.world)
    reads: list[None] = []
    kept.server.on_read = lambda: reads.append(None)
    for _ in range(3):
        assert await kept.history.good_versions([API], there) == {}
    assert reads == []
