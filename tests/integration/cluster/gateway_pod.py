"""What the tests of a pod share: its process, what is published for it, and the API server's side of both."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from e2e.components.control_plane import ControlPlane
from e2e.components.ports import ADDRESS, free_port
from gateway_runtime.snapshot.codec import api_entry, subscriptions_entry
from gateway_runtime.snapshot.parts import DATA_KEY, Part, snapshot_parts
from gateway_runtime.snapshot.types import (
    ApiSection,
    Endpoint,
    EndpointGroup,
    Flow,
    GatewaySection,
    HttpListener,
    HttpRoute,
    KeylessSecurity,
    Plan,
    SecretRef,
    Snapshot,
    Step,
    SubscriptionsSection,
    Timeouts,
)

GATEWAY = "edge"
ACCOUNT = "edge-gateway"
ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 20.0

RIGHTS = [
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["create", "patch", "delete"],
    },
]
"""All that a pod needs but for its Secrets."""


def api(name: str, body: str, *, secret: SecretRef | None = None, **fields: Any) -> ApiSection:
    """An API that answers `body` by itself; with a secret, its value behind it."""
    text = body if secret is None else body + " {#secrets.get('token')}"
    step = Step(policy="mock", configuration={"body": text})
    given: dict[str, Any] = {
        "routes": (HttpRoute(path=f"/{name}"),),
        "endpoint_groups": (
            EndpointGroup(name="g", endpoints=(Endpoint(name="e", url="http://127.0.0.1:9"),)),
        ),
        "plans": (Plan(name="open", security=KeylessSecurity()),),
        "flows": (Flow(request=(step,)),),
        "secrets": {} if secret is None else {"token": secret},
        "access_log": False,
    }
    return ApiSection(name=name, namespace="shop", **(given | fields))


def wait_for(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Poll what another process does; fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience:g} s"
        time.sleep(0.01)


class Cluster:
    """The API server as the administrator sees it, in one namespace; a call costs a millisecond."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace
        self._context = ssl.create_default_context(cafile=plane.authority)
        self._connection: http.client.HTTPSConnection | None = None
        self._parts: dict[str, Part] = {}

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, **query: str
    ) -> tuple[int, dict[str, Any]]:
        """One call; the path begins after the namespace, but for its API group: `apps/v1:deployments/x`."""
        group, _, rest = path.rpartition(":")
        prefix = f"/apis/{group}" if group else "/api/v1"
        url = f"{prefix}/namespaces/{self.namespace}/{rest}"
        headers = {"Authorization": f"Bearer {self.plane.token}"}
        if method == "PATCH":
            headers["Content-Type"] = "application/apply-patch+yaml"
            query = {"fieldManager": "test", "force": "true", **query}
        if self._connection is None:
            host = self.plane.url.removeprefix("https://")
            self._connection = http.client.HTTPSConnection(host, context=self._context, timeout=PATIENCE)
        target = f"{url}?{urlencode(query)}" if query else url
        try:
            self._connection.request(method, target, json.dumps(body) if body else None, headers)
            response = self._connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException):
            self.forget_connection()
            raise

    def forget_connection(self) -> None:
        """Connect anew: the API server was away."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def apply(self, path: str, manifest: dict[str, Any]) -> int:
        """Apply an object; answers its resourceVersion."""
        status, found = self.call("PATCH", path, manifest)
        assert status in (200, 201), found
        return int(found["metadata"]["resourceVersion"])

    def delete(self, path: str) -> None:
        """Delete an object."""
        status, found = self.call("DELETE", path)
        assert status == 200, found

    def publish(self, *sections: ApiSection | SubscriptionsSection, gateway: GatewaySection) -> int:
        """Write what differs from the publication before; answers the highest resourceVersion."""
        snapshot = Snapshot(
            gateway=gateway,
            apis={f"shop/{one.name}": api_entry(one) for one in sections if isinstance(one, ApiSection)},
            subscriptions={
                one.api: subscriptions_entry(one) for one in sections if isinstance(one, SubscriptionsSection)
            },
        )
        parts = {part.name(GATEWAY): part for part in snapshot_parts(snapshot)}
        version = 0
        for name, part in parts.items():
            if self._parts.get(name) != part:
                version = max(version, self.write(part))
        for name in self._parts.keys() - parts.keys():
            self.delete(f"configmaps/{name}")
        self._parts = parts
        return version

    def write(self, part: Part) -> int:
        """Write one part as the operator does; answers its resourceVersion."""
        name = part.name(GATEWAY)
        metadata = {"name": name, "labels": part.labels(GATEWAY), "annotations": part.annotations()}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        return self.apply(f"configmaps/{name}", {**manifest, "data": {DATA_KEY: part.data}})

    def secret(self, name: str, **values: bytes) -> None:
        """Write a Secret."""
        data = {key: base64.b64encode(value).decode() for key, value in values.items()}
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
        self.apply(f"secrets/{name}", manifest)

    def reference(self, name: str, key: str = "token") -> SecretRef:
        """The reference to a Secret's key."""
        return SecretRef(uri=f"kubernetes/{self.namespace}/{name}:{key}")

    def grant(self, *secrets: str) -> None:
        """Give the pods' account what it needs, and these Secrets by name."""
        by_name = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}
        rules = [*RIGHTS, {**by_name, "resourceNames": list(secrets)}] if secrets else RIGHTS
        rbac = "rbac.authorization.k8s.io/v1"
        role = {"apiVersion": rbac, "kind": "Role", "metadata": {"name": ACCOUNT}, "rules": rules}
        self.apply(f"{rbac}:roles/{ACCOUNT}", role)
        binding = {
            "apiVersion": rbac,
            "kind": "RoleBinding",
            "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": self.namespace}],
        }
        self.apply(f"{rbac}:rolebindings/{ACCOUNT}", binding)

    def kubeconfig(self) -> Path:
        """The kubeconfig of the pods' account, which is made here."""
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}}
        self.apply(f"serviceaccounts/{ACCOUNT}", account)
        return self.plane.kubeconfig_for_service_account(self.namespace, ACCOUNT)

    def lease(self, pod: str) -> dict[str, Any] | None:
        """The Lease of a pod; None where there is none."""
        status, found = self.call("GET", f"coordination.k8s.io/v1:leases/{pod}")
        return found if status == 200 else None

    def told(self, pod: str) -> tuple[int, dict[str, str]]:
        """What the Lease of a pod tells: up to which resourceVersion it serves, and what not."""
        lease = self.lease(pod)
        if lease is None:
            return 0, {}
        annotations = lease["metadata"]["annotations"]
        errors = json.loads(annotations["penstock.dev/errors"])
        return int(annotations["penstock.dev/resource-version"]), errors


class GatewayPod:
    """`penstock gateway` as a process, as it runs in a pod."""

    def __init__(
        self,
        cluster: Cluster,
        kubeconfig: Path,
        name: str = "edge-0",
        workers: int = 2,
        more: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.port = free_port()
        self.admin = free_port()
        self.section = GatewaySection(
            name=GATEWAY,
            namespace=cluster.namespace,
            listeners=(HttpListener(name="http", address=ADDRESS, port=self.port),),
            timeouts=Timeouts(drain=5.0),
        )
        self._log = kubeconfig.with_name(f"{kubeconfig.name}-{name}.log")
        options = {
            "--name": GATEWAY,
            "--namespace": cluster.namespace,
            "--pod-name": name,
            "--kubeconfig": str(kubeconfig),
            "--workers": str(workers),
            "--admin": f"{ADDRESS}:{self.admin}",
            **(more or {}),
        }
        words = [word for option in options.items() for word in option]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "penstock_operator.cli.main", "gateway", *words],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def log(self) -> str:
        """What it has written."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def tell(self, path: str) -> tuple[int, str]:
        """What the admin port answers; status 0 where it does not."""
        return self._get(self.admin, path)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """What the gateway answers; status 0 where it does not."""
        return self._get(self.port, path, {name.replace("_", "-"): value for name, value in headers.items()})

    def is_ready(self) -> bool:
        """Whether readyz says so."""
        assert self.process.poll() is None, self.log()
        return self.tell("/readyz")[0] == 200

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text(encoding="utf-8").split()]

    def stop(self) -> int:
        """End it as Kubernetes does; answers its exit code."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            print(self.log())  # what it waited for
            raise

    def _get(self, port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()


@contextmanager
def load(pod: GatewayPod, path: str) -> Iterator[list[tuple[int, str]]]:
    """Send one request after the other over connections that are kept; gives the answers as they come."""
    answers: list[tuple[int, str]] = []
    over = threading.Event()

    def send() -> None:
        with socket.create_connection((ADDRESS, pod.port), timeout=PATIENCE) as connection:
            reader = connection.makefile("rb")
            while not over.is_set():
                connection.sendall(f"GET {path} HTTP/1.1\r\nhost: test\r\n\r\n".encode())
                status = int(reader.readline().split()[1])
                length = 0
                while (line := reader.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answers.append((status, reader.read(length).decode()))

    def keep_sending() -> None:
        try:
            send()
        except (OSError, IndexError, ValueError) as error:
            answers.append((0, repr(error)))

    threads = [threading.Thread(target=keep_sending) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()
