"""What the tests of the chart share: what it renders, and a release in a cluster without nodes."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import yaml

from e2e.components.control_plane import ControlPlane
from e2e.components.helm import Helm
from e2e.components.processes import Server, start

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "helm" / "penstock"
NAMESPACE = "penstock-system"
PATIENCE = 60.0
Object = dict[str, Any]


def rendered(helm: Helm, folder: Path, values: Object | None = None, *options: str) -> list[Object]:
    """What `helm template` makes of the chart with these values, hooks and tests too."""
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(values or {}), encoding="utf-8")
    text = helm.output("template", "penstock", str(CHART), "-n", NAMESPACE, "-f", str(path), *options)
    return [found for found in yaml.safe_load_all(text) if found]


def of_kind(objects: list[Object], kind: str, name: str | None = None) -> list[Object]:
    """The objects of a kind."""
    return [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]


def one_of(objects: list[Object], kind: str, name: str | None = None) -> Object:
    """The only object of a kind."""
    [found] = of_kind(objects, kind, name)
    return found


def is_hook(one: Object) -> bool:
    """Whether Helm makes it beside the release."""
    return "helm.sh/hook" in (one["metadata"].get("annotations") or {})


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Poll what another process does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:g} s"
        time.sleep(0.05)


class Release:
    """A release of the chart, in a cluster without nodes.

    What nodes would do is done here: containers are run as processes, with the rights of their account,
    and how they end is written where Helm looks.
    """

    def __init__(self, plane: ControlPlane, helm: Path, folder: Path, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace
        self.helm = Helm(helm, folder / "helm", plane.kubeconfig)
        self.folder = folder
        self._servers: list[Server] = []
        self.ended: list[tuple[str, int, str]] = []
        """Containers of hooks that have ended: their pod's or job's name, exit code and output."""

    def __enter__(self) -> Release:
        self.plane.kubectl_output("create", "namespace", self.namespace)
        # A pod needs it; the controller that makes it does not run.
        self.plane.kubectl_output("create", "serviceaccount", "default", "-n", self.namespace)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.kill()
        self.helm.run("uninstall", "penstock", "-n", self.namespace, "--ignore-not-found", "--no-hooks")
        self.plane.kubectl_output("delete", "namespace", self.namespace, "--wait=false")

    def install(self, values: Object | None = None, *options: str) -> str:
        """`helm upgrade --install`, with all its hooks."""
        return self.run("upgrade", "--install", "penstock", str(CHART), *self._given(values), *options)

    def uninstall(self) -> str:
        """`helm uninstall`, with all its hooks."""
        return self.run("uninstall", "penstock")

    def _given(self, values: Object | None) -> tuple[str, str]:
        path = self.folder / "release.yaml"
        path.write_text(yaml.safe_dump(values or {}), encoding="utf-8")
        return "-f", str(path)

    def run(self, *arguments: str) -> str:
        """A command of Helm, while this plays the node for its hooks; RuntimeError where it fails."""
        stop = threading.Event()
        node = threading.Thread(target=self._be_node, args=(stop,))
        node.start()
        try:
            return self.helm.output(*arguments, "-n", self.namespace, "--timeout", "120s")
        finally:
            stop.set()
            node.join()

    def get(self, *arguments: str) -> Any:
        """What `kubectl get` finds in the release's namespace."""
        return json.loads(self.plane.kubectl_output("get", *arguments, "-n", self.namespace, "-o", "json"))

    def account(self, name: str) -> Path:
        """The kubeconfig of a service account of the release."""
        return self.plane.kubeconfig_for_service_account(self.namespace, name)

    def serve(self, deployment: Object, environment: dict[str, str], *options: str) -> Server:
        """Starts the container of a Deployment: its command line, and options after it that go before."""
        spec = deployment["spec"]["template"]["spec"]
        kubeconfig = self.account(spec["serviceAccountName"])
        words = [*spec["containers"][0]["args"], "--kubeconfig", str(kubeconfig), *options]
        program = ["-m", "penstock_operator.cli.main", *words]
        names = {"PYTHONPATH": os.pathsep.join(sys.path), "POD_NAMESPACE": self.namespace, **environment}
        launched = [f"{name}={value}" for name, value in names.items()]
        log = self.folder / f"{deployment['metadata']['name']}.log"
        server = start(Path("/usr/bin/env"), [*launched, sys.executable, *program], log)
        self._servers.append(server)
        return server

    def _be_node(self, stop: threading.Event) -> None:
        done: set[str] = set()
        context = ssl.create_default_context(cafile=self.plane.authority)
        host = self.plane.url.removeprefix("https://")
        with closing(HTTPSConnection(host, context=context, timeout=PATIENCE)) as connection:
            while not stop.wait(0.1):
                for one in self._jobs_and_pods(connection):
                    if one["metadata"]["uid"] not in done:
                        done.add(one["metadata"]["uid"])
                        self._run_to_its_end(one)

    def _jobs_and_pods(self, connection: HTTPSConnection) -> Iterator[Object]:
        headers = {"Authorization": f"Bearer {self.plane.token}"}
        for kind, group in (("Job", "apis/batch/v1"), ("Pod", "api/v1")):
            path = f"/{group}/namespaces/{self.namespace}/{kind.lower()}s"
            connection.request("GET", path, headers=headers)
            for one in json.loads(connection.getresponse().read())["items"]:
                yield {"kind": kind, **one}

    def _run_to_its_end(self, one: Object) -> None:
        spec = one["spec"]["template"]["spec"] if one["kind"] == "Job" else one["spec"]
        container = spec["containers"][0]
        words = [*container.get("command", ["penstock"]), *container.get("args", [])]
        swapped = {
            "penstock": [sys.executable, "-m", "penstock_operator.cli.main"],
            "python": [sys.executable],
        }
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        if spec.get("serviceAccountName", "default") != "default":
            environment["KUBECONFIG"] = str(self.account(spec["serviceAccountName"]))
        command = [*swapped[words[0]], *words[1:]]
        # No name of a Service leads anywhere without a cluster's DNS.
        command = [word.replace("http://edge:", "http://127.0.0.1:") for word in command]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        self.ended.append((one["metadata"]["name"], done.returncode, done.stdout + done.stderr))
        status = _job_status if one["kind"] == "Job" else _pod_status
        patch = json.dumps({"status": status(done.returncode)})
        self.plane.kubectl_output(
            "patch", one["kind"], one["metadata"]["name"], "-n", self.namespace,
            "--subresource=status", "--type=merge", f"--patch={patch}",
        )  # fmt: skip


def _job_status(code: int) -> Object:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if code:
        types: tuple[str, ...] = ("FailureTarget", "Failed")
        ended: Object = {"failed": 1}
    else:
        types = ("SuccessCriteriaMet", "Complete")
        ended = {"succeeded": 1, "completionTime": now}
    conditions = [{"type": one, "status": "True", "lastTransitionTime": now} for one in types]
    return {"startTime": now, "conditions": conditions, **ended}


def _pod_status(code: int) -> Object:
    return {"phase": "Failed" if code else "Succeeded"}
