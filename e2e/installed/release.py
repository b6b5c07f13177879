"""The chart and an image -> Penstock as its users install it, its gateway reached at a port of the node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from e2e.components.helm import Helm
from e2e.components.waiting import wait_until
from e2e.providers.cluster import Cluster

ROOT = Path(__file__).parents[2]
NAMESPACE = "penstock-system"
IMAGE = "penstock:e2e"
_NAME = "penstock"
_CHART = ROOT / "helm" / "penstock"
_PORT = 30080
_GATEWAY = {
    "workers": 2,
    "service": {"type": "NodePort", "nodePorts": {"http": _PORT}},
    "podTemplate": {"drainDelay": "5s"},
}
_SECONDS = 180.0


class Release:
    """One release of the chart; a cluster has room for one, as some of its objects are the cluster's."""

    def __init__(self, cluster: Cluster, helm: Helm, folder: Path) -> None:
        self.cluster = cluster
        self._helm = helm
        self._values = folder / "values.yaml"
        self.url = f"http://{cluster.address}:{_PORT}"
        """Where clients reach the gateway."""

    @property
    def is_installed(self) -> bool:
        """Whether there is a release."""
        return bool(self._helm.output("list", "-n", NAMESPACE, "-a", "-q").strip())

    def install(self) -> str:
        """`helm install`; what it prints."""
        return self._helm.output("install", _NAME, str(_CHART), *self._given(IMAGE), "--create-namespace")

    def upgrade(self, image: str) -> str:
        """`helm upgrade` to another image."""
        return self._helm.output("upgrade", _NAME, str(_CHART), *self._given(image))

    def uninstall(self) -> str:
        """`helm uninstall`; returns when its pods are gone."""
        told = self._helm.output("uninstall", _NAME, "-n", NAMESPACE, "--wait", "--timeout=180s")
        wait_until("the end of all pods", lambda: not self.names("pods"), seconds=_SECONDS)
        return told

    def test(self) -> str:
        """`helm test`; what it prints."""
        return self._helm.output("test", _NAME, "-n", NAMESPACE, "--timeout=120s")

    def get(self, *arguments: str) -> Any:
        """What `kubectl get` finds in the release's namespace."""
        return json.loads(self.cluster.kubectl_output("get", "-n", NAMESPACE, "-o", "json", *arguments))

    def names(self, kind: str, *arguments: str) -> set[str]:
        """The names of the objects of a kind."""
        return {one["metadata"]["name"] for one in self.get(kind, *arguments)["items"]}

    def pods(self) -> set[str]:
        """The names of the gateway's pods, also of those that are about to end."""
        return self.names("pods", "--selector=app.kubernetes.io/name=penstock-gateway")

    def operators(self) -> set[str]:
        """The names of the operator's pods, also of those that are about to end."""
        return self.names("pods", "--selector=app.kubernetes.io/name=penstock-operator")

    def change_gateway(self, **spec: object) -> None:
        """Edits the spec of the GatewayDeployment."""
        patch = json.dumps({"spec": spec})
        command = ["patch", "-n", NAMESPACE, "gatewaydeployment/edge", "--type=merge", f"--patch={patch}"]
        self.cluster.kubectl_output(*command)

    def wait_until_ready(self) -> None:
        """Returns when the gateway says that it is Ready, in its present generation."""
        command = ["wait", "-n", NAMESPACE, "gatewaydeployment/edge", "--for=condition=Ready", "--timeout=5s"]
        wait_until("the gateway", lambda: self.cluster.kubectl(*command).returncode == 0, seconds=_SECONDS)

    def wait_for_pods(self, count: int) -> None:
        """Returns when there are so many pods of the gateway, Ready, and no others."""
        self.wait_until_ready()
        wait_until(f"{count} pods", lambda: len(self.pods()) == self.ready_pods() == count, seconds=_SECONDS)

    def ready_pods(self) -> int:
        """How many of the gateway's pods are Ready."""
        return int(self.get("deployment", "edge")["status"].get("readyReplicas", 0))

    def _given(self, image: str) -> tuple[str, ...]:
        repository, _, tag = image.partition(":")
        values = {"image": {"repository": repository, "tag": tag}, "gateway": {"spec": _GATEWAY}}
        self._values.write_text(yaml.safe_dump(values), encoding="utf-8")
        return "-n", NAMESPACE, "-f", str(self._values), "--wait", "--timeout=180s"
