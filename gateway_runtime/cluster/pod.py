"""A pod of a gateway: serves what its cluster publishes, and reports what it serves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway_runtime.cluster.client import connect
from gateway_runtime.cluster.lease import LeaseReporter, Pod, Served
from gateway_runtime.cluster.source import ClusterSource, ClusterUpdate
from gateway_runtime.processes.slot import ServiceAddresses
from gateway_runtime.processes.source import Update
from gateway_runtime.processes.supervisor import Options, Supervisor
from gateway_runtime.tasks import end_tasks

_LOG: Final = logging.getLogger(__name__)


async def run_pod(pod: Pod, options: Options, kubeconfig: Path | None, tokens: Path) -> int:
    """Serve until a signal; answers the exit code. Without a kubeconfig, what Kubernetes gives a pod is used.

    `tokens` is the folder of the pod's service account tokens.

    Raises ClusterError where neither is there.
    """
    async with connect(kubeconfig) as client:
        leases = LeaseReporter(client, pod)

        def discovered(changes: ServiceAddresses) -> None:
            supervisor.discover(changes)

        def served(update: Update, errors: Mapping[str, str]) -> None:
            assert isinstance(update, ClusterUpdate)
            source.settle(update)
            leases.tell(Served(update.version, {**errors, **update.errors}))

        source = ClusterSource(client, pod, discovered, tokens)
        supervisor = Supervisor(source, options, _Log(), served)
        async with source.following():
            reporting = asyncio.create_task(_report(leases, supervisor))
            try:
                code = await supervisor.run(None)
                if code == 0:
                    await reporting
                return code
            finally:
                reporting.cancel()


async def _report(leases: LeaseReporter, supervisor: Supervisor) -> None:
    """Keep the Lease until the pod begins to drain."""
    writing = asyncio.create_task(leases.run())
    try:
        await supervisor.stopping()
    finally:
        await end_tasks([writing])
    await leases.end()


class _Log:
    """Logs what updates change in what is served and in what is wrong."""

    def __init__(self) -> None:
        self._problems: frozenset[str] = frozenset()
        self._serving: tuple[int, Sequence[str]] = (-1, ())

    def __call__(self, update: Update, failures: Sequence[str], places: Sequence[str]) -> None:
        problems = frozenset(map(str, [*update.problems, *failures]))
        for problem in sorted(problems - self._problems):
            _LOG.warning("%s", problem)
        self._problems = problems
        serving = (len(update.snapshot.apis), places)
        if serving != self._serving:
            self._serving = serving
            _LOG.info("serving %d APIs on %s", len(update.snapshot.apis), ", ".join(places))
