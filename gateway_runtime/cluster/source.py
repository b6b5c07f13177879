"""What a cluster publishes for one gateway, as updates for the supervisor of its pod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from gateway_runtime.cluster.arrivals import Arrivals, Arrived
from gateway_runtime.cluster.client import ClusterClient, config_maps
from gateway_runtime.cluster.lease import Pod
from gateway_runtime.cluster.reflector import Reflector
from gateway_runtime.cluster.secrets import KubernetesSecrets
from gateway_runtime.cluster.sections import Sections
from gateway_runtime.cluster.services import Discovered, Services
from gateway_runtime.secrets.changes import Changes
from gateway_runtime.secrets.gate import Gate, Passed
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.secrets.registry import TOKENS
from gateway_runtime.secrets.store import ProviderState, SecretStore
from gateway_runtime.snapshot.parts import GATEWAY_LABEL, SECTION_LABEL
from gateway_runtime.snapshot.references import api_services
from gateway_runtime.snapshot.types import ServicePort, Snapshot
from gateway_runtime.tasks import end_tasks


@dataclass(frozen=True, slots=True)
class ClusterUpdate:
    """What to serve, the ConfigMaps' resourceVersion that it comes from, and what is wrong by API.

    `ports` are the ports of Services that requests of it go to.
    """

    snapshot: Snapshot
    secrets: Mapping[str, SecretText]
    errors: Mapping[str, str]
    version: int
    ports: frozenset[ServicePort] = frozenset()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, for people."""
        return tuple(f"{key or 'the gateway'}: {text}" for key, text in self.errors.items())


class ClusterSource:
    """Follows the ConfigMaps of a gateway, and the secrets and Services that they name.

    `discovered` is told where Services are: what an update needs before it is made, and each change at once.
    """

    def __init__(
        self, client: ClusterClient, pod: Pod, discovered: Discovered, tokens: Path = TOKENS
    ) -> None:
        namespace, gateway = pod.namespace, pod.gateway
        self._changes = Changes()
        self._sections = Sections(gateway, self._changes.tell)
        self._secrets = SecretStore(KubernetesSecrets(client), self._changes.tell, tokens=tokens)
        self._gate = Gate(self._secrets)
        self._services = Services(client, pod.zone, discovered, self._changes.tell)
        self._arrivals = Arrivals(self._services)
        self._again_at: float | None = None
        self._awaited: str = "secrets"
        self._last: ClusterUpdate | None = None
        labels = f"{GATEWAY_LABEL}={gateway},{SECTION_LABEL}"
        self._reflector = Reflector(client, config_maps(namespace, labels), self._sections)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Within it, the cluster is followed."""
        task = asyncio.create_task(self._reflector.run())
        try:
            yield
        finally:
            await end_tasks([task])
            await self._secrets.stop()
            await self._services.stop()

    def missing(self) -> str:
        """Why there is nothing to serve yet."""
        if self._last is not None:
            return ""
        return self._sections.missing() or f"waits for {self._awaited}"

    def secrets(self) -> Sequence[ProviderState]:
        """How the providers of secrets are."""
        return self._secrets.states()

    def load(self) -> ClusterUpdate:
        """What is served already, since all changes are followed; raises LookupError before there is any."""
        if self._last is None:
            raise LookupError(self.missing())
        return self._last

    async def watch(self) -> AsyncIterator[ClusterUpdate]:
        """An update after each change, the first as soon as there is something to serve."""
        while True:
            await self._changes.settled(self._again_at)
            update = self._update()
            if update is not None and update != self._last:
                self._last = update
                yield update

    def _update(self) -> ClusterUpdate | None:
        published = self._sections.snapshot()
        if published is None:
            return self._without_gateway()
        arrived = self._arrivals.pass_through(published, monotonic())
        passed = self._passed(arrived.snapshot)
        ports = self._ports(arrived, passed)
        self._services.want(ports)
        self._awaited = "secrets" if arrived.again_at is None else "EndpointSlices"
        self._again_at = min(filter(None, (arrived.again_at, passed.again_at)), default=None)
        if self._last is None and self._again_at is not None:
            return None  # a pod that is ready serves all APIs, those with secrets and Services among them
        errors = {**arrived.errors, **passed.errors, **self._sections.problems()}
        return ClusterUpdate(passed.snapshot, passed.secrets, errors, self._sections.version, ports)

    def settle(self, served: ClusterUpdate) -> None:
        """All workers serve this update: what only those before it needed is forgotten."""
        self._services.settle(served.ports)

    def _ports(self, arrived: Arrived, passed: Passed) -> frozenset[ServicePort]:
        """Those of what is handed over: of an API that waits for a secret, those of its section before."""
        held = [
            entry.section
            for key, entry in passed.snapshot.apis.items()
            if entry is not arrived.snapshot.apis[key]
        ]
        return arrived.ports.union(*map(api_services, held))

    def _passed(self, published: Snapshot) -> Passed:
        passed = self._gate.pass_through(published, monotonic())
        self._secrets.want(published.gateway.secret_providers, passed.wanted, passed.refreshes)
        return passed

    def _without_gateway(self) -> ClusterUpdate | None:
        """A gateway whose own section is gone serves on what it had, until its pods are taken away."""
        self._again_at = None
        if self._last is None:
            return None
        errors = {"": self._sections.missing()}
        return replace(self._last, errors=errors, version=self._sections.version)
