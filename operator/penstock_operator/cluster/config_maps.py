"""A publication -> the writes and deletions of its ConfigMaps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus

from gateway_runtime.cluster.client import ClusterError
from penstock_operator.cluster.kinds import CONFIG_MAP, key_of
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.observed import Observed, Place
from penstock_operator.cluster.publisher import Publication
from penstock_operator.cluster.writer import NameTakenError, Write
from penstock_operator.deploy.identity import is_of
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kube import KubeObject


class ConfigMapWork:
    """Writes what is published; what was written is observed at once, before its event comes."""

    def __init__(self, kube: Kube, observed: Observed) -> None:
        self._kube = kube
        self._observed = observed

    def writes(self, publication: Publication) -> Iterator[Write]:
        """The ConfigMaps to write."""
        for gateway, made in publication.writes:
            yield Write(str(key_of(made)), self._written(gateway, made), gateway.key)

    def deletes(self, publication: Publication) -> Iterator[Write]:
        """The ConfigMaps to delete."""
        for place in publication.deletes:
            yield Write(f"ConfigMap {place[0]}/{place[1]}", self._deleted(place))

    def _written(self, gateway: GatewayDeployment, made: KubeObject) -> Callable[[], Awaitable[None]]:
        _, namespace, name = key_of(made)

        async def write() -> None:
            is_known = (namespace, name) in self._observed.config_maps
            found = await (self._kube.apply(made) if is_known else self._new(gateway, made))
            self._observed.put(CONFIG_MAP, found)

        return write

    async def _new(self, gateway: GatewayDeployment, made: KubeObject) -> KubeObject:
        """Create it; where one is there already, it may be of this gateway and only have lost its labels."""
        try:
            return await self._kube.create(made)
        except ClusterError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
        key = key_of(made)
        there = await self._kube.get(CONFIG_MAP, key.namespace, key.name)
        if there is not None and not is_of(gateway, there):
            raise NameTakenError(key)
        return await self._kube.apply(made)

    def _deleted(self, place: Place) -> Callable[[], Awaitable[None]]:
        async def delete() -> None:
            await self._kube.delete(CONFIG_MAP, *place)
            self._observed.remove(CONFIG_MAP, {"metadata": {"namespace": place[0], "name": place[1]}})

        return delete
