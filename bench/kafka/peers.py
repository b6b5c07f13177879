"""What is measured: no proxy at all, Penstock without and with policies, and Kroxylicious."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

from bench.kafka.manifests import KEY, USER, manifests
from bench.peers.penstock import Penstock as PenstockCommand
from bench.processes import PROXY_CPU, Server, free_port, running
from e2e.components.java import class_path, classes, java
from e2e.components.java_jars import Artifact, jars
from e2e.components.ports import ADDRESS

_READY_SECONDS = 60.0
_RUNTIME = Artifact("io.kroxylicious", "kroxylicious-runtime", "0.12.0")
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True, slots=True)
class Place:
    """What a proxy needs: the broker's address, the first of the ports that it may use, a folder."""

    broker: str
    port: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Started:
    """A peer that serves: `server` is None where clients go to the broker itself."""

    name: str
    server: Server | None
    properties: dict[str, str]

    @property
    def needs_login(self) -> bool:
        """Whether clients have to say who they are, which is where topics are renamed too."""
        return "sasl.mechanism" in self.properties

    def cpu_seconds(self) -> float:
        """CPU time of the proxy so far."""
        return self.server.cpu_seconds() if self.server else 0.0


class Peer(Protocol):
    """A way from clients to the broker."""

    name: str

    def version(self) -> str:
        """What is measured."""

    def command(self, place: Place) -> list[str]:
        """Writes the configuration; the command that serves in the foreground, none without a proxy."""

    def login(self) -> dict[str, str]:
        """What clients need to get in, besides the address."""


class Direct:
    """No proxy."""

    name = "direct"

    def version(self) -> str:
        return ""

    def command(self, place: Place) -> list[str]:
        return []

    def login(self) -> dict[str, str]:
        return {}


class Penstock:
    """`penstock run` with one worker: for everybody, with nothing but addresses rewritten."""

    name = "penstock"
    with_policies = False

    def version(self) -> str:
        return PenstockCommand().version()

    def command(self, place: Place) -> list[str]:
        folder = place.folder / self.name
        folder.mkdir()
        text = yaml.safe_dump_all(manifests(place.broker, place.port, with_policies=self.with_policies))
        (folder / "all.yaml").write_text(text)
        words = [sys.executable, "-m", "penstock_operator.cli.main", "run", "-f", str(folder)]
        return [*words, "--workers", "1", "--admin", f"{ADDRESS}:{free_port()}"]

    def login(self) -> dict[str, str]:
        return {}


class PenstockPolicies(Penstock):
    """The same behind an API key, with topics and groups renamed, access rules and quotas."""

    name = "penstock+policies"
    with_policies = True

    def login(self) -> dict[str, str]:
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": f'{_LOGIN} required username="{USER}" password="{KEY}";',
        }


class Kroxylicious:
    """Kroxylicious with no filters: it passes through, with addresses rewritten."""

    name = "kroxylicious"

    def version(self) -> str:
        return _RUNTIME.version

    def command(self, place: Place) -> list[str]:
        libraries = jars("kroxylicious", (_RUNTIME,))
        launcher = classes(Path(__file__).parent / "java" / "Kroxylicious.java", libraries)
        gateway = {
            "name": "main",
            "portIdentifiesNode": {
                "bootstrapAddress": f"{ADDRESS}:{place.port}",
                "nodeIdRanges": [{"name": "all", "start": 1, "end": 1}],
            },
        }
        cluster = {"bootstrapServers": place.broker}
        configuration = {
            "virtualClusters": [{"name": "main", "targetCluster": cluster, "gateways": [gateway]}]
        }
        file = place.folder / "kroxylicious.yaml"
        file.write_text(yaml.safe_dump(configuration))
        return [str(java()), "-cp", class_path(libraries, launcher), "Kroxylicious", str(file)]

    def login(self) -> dict[str, str]:
        return {}


PEERS: dict[str, Peer] = {one.name: one for one in (Direct(), Penstock(), PenstockPolicies(), Kroxylicious())}


@contextmanager
def serving(peer: Peer, place: Place) -> Iterator[Started]:
    """A peer while it serves, on a CPU of its own."""
    command = peer.command(place)
    if not command:
        yield Started(peer.name, None, {"bootstrap.servers": place.broker} | peer.login())
        return
    with running(peer.name, command, PROXY_CPU, place.folder / f"{peer.name}.log") as server:
        _await_port(server, place.port)
        yield Started(peer.name, server, {"bootstrap.servers": f"{ADDRESS}:{place.port}"} | peer.login())


def _await_port(server: Server, port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        server.check()
        with socket.socket() as probe:
            if probe.connect_ex((ADDRESS, port)) == os.EX_OK:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{server.name} does not listen at {port}:\n{server.last_lines()}")
