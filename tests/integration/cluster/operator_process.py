"""What the tests of the operator share: its process with the shipped rights, and a shop that it runs."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gateway_pod
from gateway_pod import ROOT, Cluster, GatewayPod

from e2e.components.control_plane import ControlPlane
from e2e.components.ports import ADDRESS, free_port

PENSTOCK = "penstock.dev/v1alpha1"
OWN_NAMESPACE = "penstock-system"
ACCOUNT = "penstock-operator"
RBAC = "rbac.authorization.k8s.io/v1"
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)

_PATIENCE = 60.0
"""Seconds: two processes start, each with seconds of work for a CPU that others use too."""

_numbers = itertools.count()


def wait_for(condition: Callable[[], object], patience: float = _PATIENCE) -> None:
    """Poll what other processes do."""
    gateway_pod.wait_for(condition, patience)


def operator_account(plane: ControlPlane) -> Path:
    """Applies the shipped rights; the kubeconfig of the account that has them."""
    plane.kubectl_output("apply", "--server-side", "-f", str(ROOT / "config/rbac/operator.yaml"))
    return plane.kubeconfig_for_service_account(OWN_NAMESPACE, ACCOUNT)


def penstock(*arguments: str, kubeconfig: Path) -> str:
    """What a command of the CLI prints."""
    done = subprocess.run(
        [sys.executable, "-m", "penstock_operator.cli.main", *arguments],
        env={**_environment(), "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


class Operator:
    """`penstock operator` as a process, as it runs in a pod."""

    def __init__(self, kubeconfig: Path, *options: str, webhook: bool = False) -> None:
        self.port = free_port()
        self.log_file = kubeconfig.with_name(f"operator-{next(_numbers)}.log")
        port = free_port() if webhook else 0
        words = (
            *("--namespace", OWN_NAMESPACE, "--kubeconfig", str(kubeconfig), "--image", "penstock:test"),
            *("--health", f"{ADDRESS}:{self.port}", "--log-format", "json"),
            *("--webhook-port", str(port), "--webhook-url", f"https://{ADDRESS}:{port}"),
            *options,
        )
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "penstock_operator.cli.main", "operator", *words],
                env=_environment(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def log(self) -> str:
        """What it has written."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """What it has written, each line as the JSON that it is."""
        return [json.loads(line) for line in self.log().splitlines()]

    def tell(self, path: str) -> tuple[int, str]:
        """What the health port answers; status 0 where it does not."""
        connection = http.client.HTTPConnection(ADDRESS, self.port, timeout=_PATIENCE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        return sum(
            float(value)
            for found, given, value in SAMPLE.findall(self.tell("/metrics")[1])
            if found == name and wanted <= set(given.split(","))
        )

    def writes(self) -> float:
        """How many objects it has written, or tried to."""
        verbs = ("PATCH", "POST", "DELETE")
        return sum(self.metric("penstock_operator_api_requests_total", verb=verb) for verb in verbs)

    def is_ready(self) -> bool:
        """Whether readyz says so."""
        assert self.process.poll() is None, self.log()
        return self.tell("/readyz")[0] == 200

    def is_leading(self) -> bool:
        """Whether it is the replica that writes."""
        return self.is_ready() and self.metric("penstock_operator_leading") == 1

    def kill(self) -> None:
        """End it as an accident does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as Kubernetes does; answers its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Shop:
    """A gateway `edge` with the API `orders` in one namespace, as its users see it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.namespace = cluster.namespace
        self.port = free_port()

    def apply(self, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
        """Apply a resource of Penstock as a user does; what the API server made of it."""
        path = f"{PENSTOCK}:{kind.lower()}s/{name}"
        manifest = {
            "apiVersion": PENSTOCK,
            "kind": kind,
            "metadata": {"name": name, **metadata},
            "spec": spec,
        }
        status, found = self.cluster.call("PATCH", path, manifest)
        assert status in (200, 201), found
        return found

    def open(self, *apis: str) -> None:
        """Apply the gateway, and these APIs with a plan that lets everybody in.

        Plans first: an API that is seen before its plan has a version without it in its history.
        """
        self.gateway()
        for name in apis:
            self.plan(name, {"keyless": {}})
            self.api(name)

    def gateway(self, **spec: Any) -> dict[str, Any]:
        """Apply the gateway."""
        listener = {"name": "http", "port": self.port, "address": ADDRESS}
        given = {"listeners": [listener], "replicas": 1, "timeouts": {"drain": "5s"}, **spec}
        spec = {name: value for name, value in given.items() if value is not None}
        return self.apply("GatewayDeployment", "edge", spec)

    def api(self, name: str, body: str = "v1", **spec: Any) -> dict[str, Any]:
        """Apply an API that answers `body` by itself."""
        given = {
            "listeners": [{"http": {"path": f"/{name}"}}],
            "endpointGroups": [{"name": "g", "endpoints": [{"name": "e", "url": "http://127.0.0.1:9"}]}],
            "flows": [{"request": [{"mock": {"body": body}}]}],
            **spec,
        }
        return self.apply("ApiDefinition", name, given)

    def break_api(self, name: str) -> None:
        """Edit an API to what the webhook lets through and the operator does not: a reference to nothing."""
        self.api(name, "{#secrets.get('nothing')}")

    def plan(self, name: str, security: dict[str, Any], api: str = "", **spec: Any) -> dict[str, Any]:
        """Apply a plan, of the API of the same name where none is given."""
        return self.apply("Plan", name, {"apiRef": {"name": api or name}, "security": security, **spec})

    def subscription(self, name: str, plan: str, **spec: Any) -> dict[str, Any]:
        """Apply a subscription."""
        given = {"planRef": {"name": plan}, "application": {"name": "app"}, **spec}
        return self.apply("Subscription", name, given)

    def try_other(self, name: str, **query: str) -> tuple[int, str]:
        """Try to apply another API with the paths of an API; the status, and why not."""
        found = self.get(f"{PENSTOCK}:apidefinitions/{name}") or {}
        other = {"apiVersion": PENSTOCK, "kind": "ApiDefinition", "metadata": {"name": "other"}}
        path = f"{PENSTOCK}:apidefinitions/other"
        status, answer = self.cluster.call("PATCH", path, {**other, "spec": found["spec"]}, **query)
        return status, str(answer.get("message", ""))

    def annotate(self, kind: str, name: str, **annotations: str) -> None:
        """Set annotations `penstock.dev/...` of a resource."""
        found = {f"penstock.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
        metadata = {"name": name, "annotations": found}
        manifest = {"apiVersion": PENSTOCK, "kind": kind, "metadata": metadata}
        path = f"{PENSTOCK}:{kind.lower()}s/{name}"
        status, answer = self.cluster.call("PATCH", path, manifest, fieldManager="annotator")
        assert status == 200, answer

    def delete(self, kind: str, name: str) -> None:
        """Delete a resource of Penstock."""
        self.cluster.delete(f"{PENSTOCK}:{kind.lower()}s/{name}")

    def get(self, path: str) -> dict[str, Any] | None:
        """An object; None where there is none."""
        status, found = self.cluster.call("GET", path)
        return found if status == 200 else None

    def names(self, path: str) -> set[str]:
        """The names of all objects of a kind."""
        return {item["metadata"]["name"] for item in self.cluster.call("GET", path)[1]["items"]}

    def status(self, kind: str, name: str) -> dict[str, Any]:
        """The status of a resource; empty where it has none."""
        found = self.get(f"{PENSTOCK}:{kind.lower()}s/{name}") or {}
        status: dict[str, Any] = found.get("status") or {}
        return status

    def condition(self, kind: str, name: str, of: str = "Ready") -> tuple[str, str]:
        """The status and the reason of a condition of the present generation; empty where there is none."""
        found = self.get(f"{PENSTOCK}:{kind.lower()}s/{name}") or {}
        for one in (found.get("status") or {}).get("conditions", ()):
            if one["type"] == of and one["observedGeneration"] == found["metadata"]["generation"]:
                return one["status"], one["reason"]
        return "", ""

    def is_ready(self, kind: str, name: str) -> bool:
        """Whether the present generation is in service."""
        return self.condition(kind, name)[0] == "True"

    def secret(self, name: str) -> dict[str, str]:
        """The values of a Secret; empty where there is none."""
        data = (self.get(f"secrets/{name}") or {}).get("data") or {}
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}

    def events(self, name: str) -> list[tuple[str, str]]:
        """Type and reason of the Events that regard an object, in the order in which they were made."""
        found = self.cluster.call("GET", "events.k8s.io/v1:events")[1]["items"]
        mine = [one for one in found if one["regarding"]["name"] == name]
        return [(one["type"], one["reason"]) for one in sorted(mine, key=lambda one: one["eventTime"])]

    def pod(self, name: str = "edge-0", workers: int = 1) -> GatewayPod:
        """A pod of the gateway, with the account and the rights that the operator made for it."""
        wait_for(lambda: self.get(f"{RBAC}:rolebindings/edge"))
        kubeconfig = self.cluster.plane.kubeconfig_for_service_account(self.namespace, "edge")
        pod = GatewayPod(self.cluster, kubeconfig, name, workers)
        pod.port = self.port
        return pod


def answers(
    pod: GatewayPod, path: str, expected: tuple[int, str] | int, **headers: str
) -> Callable[[], bool]:
    """Whether the gateway answers so: with a status, or with a status and a body."""

    def check() -> bool:
        found = pod.get(path, **headers)
        return found == expected or found[0] == expected

    return check
