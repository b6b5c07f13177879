"""Takes the API server away, and what etcd remembers of the past."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from gateway_pod import Cluster


@contextmanager
def outage(cluster: Cluster) -> Iterator[None]:
    """Within it, there is no API server."""
    cluster.forget_connection()
    cluster.plane.stop_api_server()
    try:
        yield
    finally:
        cluster.plane.start_api_server()


def compact(cluster: Cluster) -> None:
    """Have etcd forget all history, through the JSON gateway of its socket."""

    def call(path: str, body: dict[str, object]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(cluster.plane.authority.parents[1] / "etcd.sock"))
        with closing(connection):
            connection.request("POST", path, json.dumps(body))
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found

    revision = call("/v3/kv/range", {"key": "AA=="})["header"]["revision"]
    assert "header" in call("/v3/kv/compaction", {"revision": revision, "physical": True})
