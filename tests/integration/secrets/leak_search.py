"""Where a gateway writes or shows anything -> what of a value is there, as it is or as something encodes it.

The searched part of each value is hexadecimal: URL and JSON encoding leave it as it is. Base64 is searched in
its three alignments.
"""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway_pod import Cluster, GatewayPod

CORE = "4f1bca9a7e30c4d2b8"
CANARY = f"{CORE}-ä+/&='\" {CORE}"
"""Holds what each encoding changes."""
CLEAN = f"{CORE}{CORE}"
BROKEN = f"{CORE}\r\nx-injected: {CORE}"
"""No header may hold it."""


def leaks(name: str, content: bytes) -> list[str]:
    """Where the value is in what was found at a place."""
    return [f"{name}: {how}" for how, needle in NEEDLES.items() if needle in content]


def leaks_of(found: Iterable[tuple[str, bytes]]) -> list[str]:
    """The same of many places."""
    return [leak for name, content in found for leak in leaks(name, content)]


def of_processes(pids: list[int]) -> Iterator[tuple[str, bytes]]:
    """Environments and command lines."""
    for pid in pids:
        for name in ("environ", "cmdline"):
            yield f"{pid}/{name}", Path(f"/proc/{pid}/{name}").read_bytes()


def of_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """All files below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()


def of_cluster(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    """What the API server has, but for Secrets."""
    kinds = ("configmaps", "events", "serviceaccounts", "pods", "coordination.k8s.io/v1:leases")
    for kind in kinds:
        yield kind, json.dumps(cluster.call("GET", kind)[1]).encode()


def of_admin(pod: GatewayPod) -> Iterator[tuple[str, bytes]]:
    """The pages of the admin port."""
    for page in ("/metrics", "/snapshot", "/readyz", "/healthz", "/nowhere"):
        yield page, pod.tell(page)[1].encode()


def _needles(text: str) -> dict[str, bytes]:
    """How a text may look where it leaks."""
    raw = text.encode()
    found = {"plain": raw, "hex": raw.hex().encode(), "URL": urllib.parse.quote_plus(text).encode()}
    for skip in range(3):
        encoded = base64.b64encode(b"\0" * skip + raw)
        found[f"base64 at {skip}"] = encoded[4 if skip else 0 : len(encoded) - 4]
    return found


NEEDLES = _needles(CORE)
