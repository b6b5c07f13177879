"""What the tests of discovery share: backends at an address that a Service may have, and their slices."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gateway_pod import Cluster

from gateway_runtime.cluster.client import SERVICE_LABEL

SLICES = "discovery.k8s.io/v1:endpointslices"


def own_address() -> str:
    """An address of this machine that is no loopback address: Kubernetes takes none for an endpoint."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.254", 9))  # sends nothing
        return str(sock.getsockname()[0])


class _Handler(BaseHTTPRequestHandler):
    """Answers its server's name."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        backend: Any = self.server
        backend.hosts.append(self.headers["Host"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(backend.text)))
        self.end_headers()
        self.wfile.write(backend.text)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Backend(ThreadingHTTPServer):
    """A server that answers with its name; `hosts` are those that it was asked for."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__((own_address(), 0), _Handler)
        self.text = name.encode()
        self.hosts: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def stop(self) -> None:
        """Accept no more; what is connected is answered still."""
        self.shutdown()
        self._thread.join()
        self.server_close()


def endpoint(ready: bool = True, serving: bool | None = None, terminating: bool = False) -> dict[str, Any]:
    """This machine as an endpoint."""
    serves = ready if serving is None else serving
    conditions = {"ready": ready, "serving": serves, "terminating": terminating}
    return {"addresses": [own_address()], "conditions": conditions}


def write_slice(cluster: Cluster, name: str, backend: Backend, found: dict[str, Any] | None = None) -> None:
    """Write the slice of the Service `orders` that has this backend, at its own port of the name `http`."""
    manifest = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "labels": {SERVICE_LABEL: "orders"}},
        "addressType": "IPv4",
        "endpoints": [found or endpoint()],
        "ports": [{"name": "admin", "port": 1}, {"name": "http", "port": backend.port}],
    }
    cluster.apply(f"{SLICES}/{name}", manifest)
