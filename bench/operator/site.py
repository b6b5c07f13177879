"""The operator and one pod of a gateway on a control plane, each as a process with its own rights."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bench.operator.admin import Admin
from bench.operator.objects import GATEWAY, GATEWAY_NAMESPACE, NAMESPACE, gateway, jwt_secret
from bench.processes import Server, running
from e2e.components.control_plane import ControlPlane
from e2e.components.ports import ADDRESS, free_port

_ROOT = Path(__file__).resolve().parents[2]
_SYSTEM = "penstock-system"
_PATIENCE = 60.0
_READS = ("GET", "LIST", "WATCH")


@dataclass(frozen=True, slots=True)
class Process:
    """The operator or a pod: its process, and the port of its health and metrics."""

    server: Server
    port: int

    async def is_ready(self) -> bool:
        """Whether /readyz says so; raises RuntimeError where the process has ended."""
        self.server.check()
        try:
            return (await self._get("/readyz"))[0] == 200
        except aiohttp.ClientError:
            return False

    async def until_ready(self, patience: float = _PATIENCE) -> float:
        """Seconds until it is ready."""
        begun = time.monotonic()
        while not await self.is_ready():
            if time.monotonic() > begun + patience:
                raise RuntimeError(f"{self.server.name} is not ready:\n{self.server.last_lines()}")
            await asyncio.sleep(0.05)
        return time.monotonic() - begun

    async def calls(self) -> Counter[tuple[str, str]]:
        """The operator's requests to the API server so far, by verb and kind, without those of kopf."""
        found: Counter[tuple[str, str]] = Counter()
        for family in text_string_to_metric_families((await self._get("/metrics"))[1]):
            for sample in family.samples:
                if sample.name == "penstock_operator_api_requests_total":
                    found[sample.labels["verb"], sample.labels["kind"]] += int(sample.value)
        return found

    async def rounds(self) -> dict[str, tuple[int, float]]:
        """How often each part of a round ran, and the seconds that it took in all."""
        values: dict[tuple[str, str], float] = {}
        for family in text_string_to_metric_families((await self._get("/metrics"))[1]):
            for sample in family.samples:
                if sample.name.startswith("penstock_operator_reconcile_seconds_"):
                    values[sample.labels["part"], sample.name.rpartition("_")[2]] = sample.value
        parts = {part for part, _ in values}
        return {part: (int(values[part, "count"]), values[part, "sum"]) for part in parts}

    async def _get(self, path: str) -> tuple[int, str]:
        limits = aiohttp.ClientTimeout(total=30)
        async with (
            aiohttp.ClientSession(timeout=limits) as session,
            session.get(f"http://{ADDRESS}:{self.port}{path}") as answer,
        ):
            return answer.status, await answer.text()


def writes_of(calls: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Those calls that write."""
    return Counter({call: count for call, count in calls.items() if call[0] not in _READS and count > 0})


@asynccontextmanager
async def operator(plane: ControlPlane, log: Path) -> AsyncIterator[Process]:
    """The operator with the rights of config/rbac/operator.yaml."""
    kubeconfig = plane.kubeconfig_for_service_account(_SYSTEM, "penstock-operator")
    port, webhook = free_port(), free_port()
    options = {
        "--namespace": _SYSTEM,
        "--kubeconfig": str(kubeconfig),
        "--image": "penstock:bench",
        "--health": f"{ADDRESS}:{port}",
        "--webhook-port": str(webhook),
        "--webhook-url": f"https://{ADDRESS}:{webhook}",
    }
    with running("operator", _command("operator", options), None, log) as server:
        yield Process(server, port)


@asynccontextmanager
async def pod(plane: ControlPlane, log: Path) -> AsyncIterator[Process]:
    """A pod of the gateway, with the rights that the operator gave it."""
    kubeconfig = plane.kubeconfig_for_service_account(GATEWAY_NAMESPACE, GATEWAY)
    port = free_port()
    options = {
        "--name": GATEWAY,
        "--namespace": GATEWAY_NAMESPACE,
        "--pod-name": f"{GATEWAY}-0",
        "--kubeconfig": str(kubeconfig),
        "--workers": "1",
        "--admin": f"{ADDRESS}:{port}",
    }
    with running("pod", _command("gateway", options), None, log) as server:
        yield Process(server, port)


def prepare(plane: ControlPlane) -> None:
    """The kinds, the operator's rights and the namespaces."""
    plane.apply_crds(_ROOT / "crds")
    plane.kubectl_output("apply", "--server-side", "-f", str(_ROOT / "config" / "rbac" / "operator.yaml"))
    for name in (NAMESPACE, GATEWAY_NAMESPACE):
        plane.kubectl_output("create", "namespace", name)


async def make_gateway(admin: Admin, port: int) -> None:
    """The gateway; returns when the operator has made the rights of its pods."""
    await admin.create([[jwt_secret()], [gateway(port)]])
    binding = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{{}}/rolebindings/{GATEWAY}"
    account = f"/api/v1/namespaces/{GATEWAY_NAMESPACE}/serviceaccounts/{GATEWAY}"
    deadline = time.monotonic() + _PATIENCE
    for path in (binding.format(GATEWAY_NAMESPACE), account):
        while not await admin.exists(path):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the operator has not made {path}")
            await asyncio.sleep(0.05)


def _command(name: str, options: dict[str, str]) -> list[str]:
    words = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "penstock_operator.cli.main", name, *words]
