"""Kafka's jars -> a running cluster on the loopback address; its data go with it.

Every broker is also a controller, so that any one may go and the others carry on.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from uuid import UUID

from e2e.components.commands import run
from e2e.components.java import class_path, java
from e2e.components.java_jars import Artifact, jars
from e2e.components.kafka_certificates import Authority
from e2e.components.kafka_configuration import (
    PROTOCOLS,
    USERS,
    Options,
    Place,
    ports_needed,
    server_properties,
)
from e2e.components.kafka_tokens import IdentityProvider
from e2e.components.ports import ADDRESS, free_port
from e2e.components.processes import Server, start
from e2e.components.waiting import wait_until

VERSION = "4.3.1"
_ARTIFACTS = (
    Artifact("org.apache.kafka", "kafka_2.13", VERSION),
    Artifact("org.apache.kafka", "kafka-tools", VERSION),
    Artifact("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4"),
)
_CLUSTER_ID = "cGVuc3RvY2stdGVzdHMtMQ"
_PATIENCE = 90.0
_STARTED = "Kafka Server started"
LOG_SETTINGS = Path(__file__).with_name("kafka_log4j2.properties")
"""What brokers and tools log."""


def libraries() -> Path:
    """The folder with the jars of brokers and tools; downloaded the first time."""
    return jars("kafka", _ARTIFACTS)


class Kafka:
    """One cluster; `with Kafka() as kafka:` starts and stops it. Brokers have the ids 1, 2, ..."""

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self._java, self._libraries = java(), libraries()
        self.folder = Path(tempfile.mkdtemp(prefix="penstock-kafka-"))
        self.authority = Authority(self.folder)
        self.provider = IdentityProvider(USERS, self.folder)
        self.places = {id_: self._place(id_) for id_ in range(1, self._options.brokers + 1)}
        self._servers: dict[int, Server] = {}

    def __enter__(self) -> Kafka:
        try:
            self._prepare()
            with ThreadPoolExecutor() as pool:
                list(pool.map(self.start, self.places))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def bootstrap(self, protocol: str = "PLAINTEXT") -> str:
        """HOST:PORT of all brokers for a security protocol."""
        return ",".join(f"{ADDRESS}:{place.ports[protocol]}" for place in self.places.values())

    def addresses(self) -> set[str]:
        """HOST:PORT of every listener of every broker."""
        return {f"{ADDRESS}:{place.ports[name]}" for place in self.places.values() for name in PROTOCOLS}

    def start(self, broker: int) -> None:
        """Starts a broker with the ports and the data that it had; returns when it serves."""
        place = self.places[broker]
        log = place.folder / "broker.log"
        log.unlink(missing_ok=True)
        words = [*self._java_options(), "kafka.Kafka", str(place.folder / "server.properties")]
        server = self._servers[broker] = start(self._java, words, log)
        ready = f"Kafka broker {broker}"
        wait_until(ready, lambda: _STARTED in log.read_text("utf-8"), server.check, seconds=_PATIENCE)

    def kill(self, broker: int) -> None:
        """Ends a broker at once, as a failing machine does."""
        self._servers.pop(broker).kill()

    def shut_down(self, broker: int) -> None:
        """Ends a broker in order: it hands its leadership over first."""
        server = self._servers.pop(broker)
        server.signal(signal.SIGTERM)
        server.guard.wait(_PATIENCE)
        server.kill()

    def freeze(self, broker: int) -> None:
        """Have a broker answer nothing, as where the network is gone."""
        self._servers[broker].signal(signal.SIGSTOP)

    def thaw(self, broker: int) -> None:
        """Have it answer again."""
        self._servers[broker].signal(signal.SIGCONT)

    def runs(self, broker: int) -> bool:
        """Whether a broker was started and not ended since."""
        return broker in self._servers

    def process(self, broker: int) -> int:
        """The id of a broker's process."""
        return self._servers[broker].processes()[0]

    def tool(self, main: str, *options: str) -> str:
        """What one of Kafka's own tools prints."""
        return run([self._java, *self._java_options(), main, *options], self.folder)

    def stop(self) -> None:
        """Ends all."""
        for server in self._servers.values():
            server.kill()
        self._servers.clear()
        self.provider.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, broker: int) -> Place:
        folder = self.folder / f"broker-{broker}"
        folder.mkdir()
        ports = {name: free_port() for name in ports_needed()}
        if self._options.first_port:
            ports["PLAINTEXT"] = self._options.first_port + broker - 1
        return Place(broker, folder, ports)

    def _java_options(self) -> list[str]:
        allowed = self.provider.jwks_file.as_uri()
        return [
            *self._options.java,
            f"-Dlog4j2.configurationFile={LOG_SETTINGS}",
            f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={allowed}",
            "-cp",
            class_path(self._libraries),
        ]

    def _prepare(self) -> None:
        """Writes configurations and formats one broker's folder; the others get a copy with their own ids."""
        places = list(self.places.values())
        for place in places:
            identity = self.authority.identity(f"broker-{place.id}", hosts=["localhost"])
            trust = (identity, self.authority.certificate)
            text = server_properties(place, places, self._options, trust, self.provider.jwks_file)
            (place.folder / "server.properties").write_text(text, encoding="utf-8")
        self._format(places[0])
        for place in places[1:]:
            _copy_format(places[0], place)

    def _format(self, place: Place) -> None:
        scram = [
            word
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for name, password in USERS.items()
            for word in ("--add-scram", f"{mechanism}=[name={name},password={password}]")
        ]
        settings = place.folder / "server.properties"
        words = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(settings), *scram]
        run([self._java, *self._java_options(), *words], self.folder)


def _copy_format(source: Place, target: Place) -> None:
    data = target.folder / "data"
    shutil.copytree(source.folder / "data", data)
    meta = data / "meta.properties"
    lines = dict(line.split("=", 1) for line in meta.read_text("utf-8").splitlines() if "=" in line)
    # Each folder has an id of its own: base64 of a UUID (KIP-858).
    lines |= {"node.id": str(target.id), "directory.id": _directory_id(target.id)}
    meta.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")


def _directory_id(broker: int) -> str:
    number = UUID(int=(0x5EED << 112) + broker)
    return urlsafe_b64encode(number.bytes).rstrip(b"=").decode()
