"""What runs the gateways: what differs from what should be there is applied, what is left over is deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import groupby

from penstock_operator.cluster.infrastructure import Infrastructure, Work
from penstock_operator.cluster.kinds import BY_NAME, key_of
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.observed import Observed
from penstock_operator.cluster.pipeline import Outcome
from penstock_operator.cluster.store import Store
from penstock_operator.cluster.writer import NameTakenError, Write
from penstock_operator.deploy.handover import HANDOVER_MANAGER, handover
from penstock_operator.deploy.identity import instance_of, is_of
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kube import KubeObject


class GatewayWork:
    """The objects of all gateways, compared once a round."""

    def __init__(self, infrastructure: Infrastructure, kube: Kube, store: Store, observed: Observed) -> None:
        self._infrastructure = infrastructure
        self._kube = kube
        self._store = store
        self._observed = observed
        self._work = Work()

    def applies(self, outcome: Outcome) -> Iterator[list[Write]]:
        """The objects to apply for an outcome, one kind after the other: a binding needs its role."""
        self._work = self._infrastructure.compare(
            outcome.serving.gateways, outcome.snapshots, self._known(), self._observed.objects
        )
        for _, group in groupby(self._work.applies, lambda one: one[1]["kind"]):
            yield [
                Write(str(key_of(made)), self._applied(gateway, made), gateway.key) for gateway, made in group
            ]

    def deletes(self) -> Iterator[Write]:
        """The objects to delete, by the same comparison."""
        for there in self._work.deletes:
            yield Write(str(key_of(there)), self._deleted(there))

    def _known(self) -> frozenset[tuple[str, str]]:
        read = self._store.of_kind("GatewayDeployment")
        unread = (name for name in self._store.unparsed if name.kind == "GatewayDeployment")
        return frozenset((name.namespace, instance_of(name.name)) for name in (*read, *unread))

    def _applied(self, gateway: GatewayDeployment, made: KubeObject) -> Callable[[], Awaitable[None]]:
        kind, key = BY_NAME[made["kind"]], key_of(made)

        async def apply() -> None:
            there = self._observed.objects.get(key) or await self._kube.get(kind, key.namespace, key.name)
            if there is not None and not is_of(gateway, there):
                raise NameTakenError(key)
            first = handover(made, there) if there is not None else None
            if first is not None:
                await self._kube.apply(first, HANDOVER_MANAGER)
            self._observed.put(kind, await self._kube.apply(made))

        return apply

    def _deleted(self, there: KubeObject) -> Callable[[], Awaitable[None]]:
        kind, key = BY_NAME[there["kind"]], key_of(there)

        async def delete() -> None:
            await self._kube.delete(kind, key.namespace, key.name, there["metadata"].get("uid", ""))
            self._observed.remove(kind, there)

        return delete
