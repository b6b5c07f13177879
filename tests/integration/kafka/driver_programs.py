"""Clients that are programs of their own, Java's and franz-go, as drivers.

A program gets a file of settings, a file with arguments and a command, and writes one JSON object a line.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka_access import PATIENCE, Access, ClientError, GroupProtocol, Member, Placed, Seen

from e2e.components.java import class_path, classes, java
from e2e.components.kafka import libraries
from e2e.components.kafka_go import franz
from e2e.components.ports import ADDRESS

_HERE = Path(__file__).parent
_JAVA_OPTIONS = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=OFF")
_LOGIN = "org.apache.kafka.common.security"


class ProgramDriver:
    """A driver that runs a program for each call."""

    name: str

    def __init__(self, access: Access) -> None:
        self.access = access

    def program(self) -> list[str]:
        """The words that start it."""
        raise NotImplementedError

    def settings(self, folder: Path) -> str:
        """The text of its file of settings; the folder is for files that it names."""
        raise NotImplementedError

    def produce(self, topic: str, values: Sequence[str], acks: str = "all") -> list[Placed]:
        found = self._run("produce", topic=topic, values=list(values), acks=acks)
        return [Placed(one["partition"], one["offset"]) for one in found]

    def consume(self, topic: str, count: int, *, committed: bool = False) -> list[str]:
        return [one["value"] for one in self._run("consume", topic=topic, count=count, committed=committed)]

    def member(self, topic: str, group: str, protocol: GroupProtocol = "classic") -> Member:
        return self.following("member", topic=topic, group=group, protocol=protocol)

    def transact(self, topic: str, values: Sequence[str], transactional_id: str, *, commit: bool) -> None:
        given = {"topic": topic, "values": list(values), "transactionalId": transactional_id}
        self._run("transact", **given, commit=commit)

    def create_topic(self, topic: str, partitions: int = 1) -> None:
        self._run("create-topic", topic=topic, partitions=partitions)

    def delete_topic(self, topic: str) -> None:
        self._run("delete-topic", topic=topic)

    def topics(self) -> set[str]:
        return {name for name in self._run("topics")[0]["topics"] if not name.startswith("__")}

    def leaders(self, topic: str) -> dict[int, str]:
        return {int(number): at for number, at in self._run("leaders", topic=topic)[0]["leaders"].items()}

    def nodes(self) -> set[str]:
        return set(self._run("nodes")[0]["nodes"])

    def configs(self, topic: str) -> dict[str, str | None]:
        found: dict[str, str | None] = self._run("configs", topic=topic)[0]["configs"]
        return found

    def alter_config(self, topic: str, name: str, value: str) -> None:
        self._run("alter-config", topic=topic, name=name, value=value)

    def group_state(self, group: str) -> str:
        found: str = self._run("group-state", group=group)[0]["state"]
        return found.lower()

    def groups(self) -> set[str]:
        return set(self._run("groups")[0]["groups"])

    def following(self, command: str, **given: Any) -> Member:
        """A member of the kind that the command makes."""

        def run(seen: Seen, stopped: threading.Event) -> None:
            with self._started(command, given) as process:
                ending = threading.Thread(target=_ends, args=(process, stopped))
                ending.start()
                assert process.stdout
                for line in process.stdout:
                    _tell(seen, json.loads(line))
                stopped.set()
                ending.join()

        return Member(run)

    def _run(self, command: str, **given: Any) -> list[dict[str, Any]]:
        with self._started(command, given) as process:
            output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        found: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
        for one in found:
            if "error" in one:
                raise ClientError(one["error"], one["detail"])
        return found

    @contextmanager
    def _started(self, command: str, given: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
        with tempfile.TemporaryDirectory(prefix="penstock-driver-") as name:
            settings, arguments = Path(name, "settings"), Path(name, "arguments")
            settings.write_text(self.settings(Path(name)))
            arguments.write_text(json.dumps(given))
            words = [*self.program(), str(settings), str(arguments), command]
            pipe = subprocess.PIPE
            with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
                try:
                    yield process
                finally:
                    process.kill()


def _ends(process: subprocess.Popen[str], stopped: threading.Event) -> None:
    """Asks the program to end, by a line on its standard input, when the member is stopped."""
    stopped.wait()
    if process.poll() is None:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()


def _tell(seen: Seen, line: dict[str, Any]) -> None:
    if "error" in line:
        seen.failed(f"{line['error']}: {line['detail']}")
    elif "assigned" in line:
        seen.assigned(line["assigned"])
    else:
        seen.received([line["value"]])


class Java(ProgramDriver):
    """Kafka's own client; knows both protocols of groups, and share groups."""

    name = "java"

    def program(self) -> list[str]:
        compiled = classes(_HERE / "java" / "Driver.java", libraries())
        return [str(java()), *_JAVA_OPTIONS, "-cp", class_path(libraries(), compiled), "Driver"]

    def settings(self, folder: Path) -> str:
        return java_properties(self.access, folder)

    def share_member(self, topic: str, group: str) -> Member:
        """A member of a share group (KIP-932)."""
        return self.following("share", topic=topic, group=group)


class Franz(ProgramDriver):
    """franz-go; it has classic groups here."""

    name = "franz-go"

    def program(self) -> list[str]:
        return [str(franz(_HERE / "franz"))]

    def settings(self, folder: Path) -> str:
        access, identity = self.access, self.access.identity
        settings = {
            "bootstrap": access.bootstrap,
            "mechanism": access.mechanism,
            "username": access.username,
            "password": access.password,
            "ca": str(access.ca or ""),
            "certificate": str(identity.certificate) if identity else "",
            "key": str(identity.key) if identity else "",
            "loopback": bool(access.loopback_names),
        }
        return json.dumps(settings)


def java_properties(access: Access, folder: Path) -> str:
    """The text of a properties file, which Java's tools take too; a token goes to a file of its own."""
    lines = {"bootstrap.servers": access.bootstrap, "security.protocol": access.protocol}
    if access.ca:
        lines |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(access.ca)}
    if access.identity:
        lines |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(access.identity.both)}
    if access.mechanism:
        lines |= {"sasl.mechanism": access.mechanism, "sasl.jaas.config": _jaas(access)}
    if access.mechanism == "OAUTHBEARER":
        lines["sasl.login.callback.handler.class"] = f"{_LOGIN}.oauthbearer.OAuthBearerLoginCallbackHandler"
        token = folder / "token"
        token.write_text(access.password)
        lines["sasl.oauthbearer.token.endpoint.url"] = token.as_uri()
    if access.loopback_names:
        hosts = folder / "hosts"
        hosts.write_text("".join(f"{ADDRESS} {name}\n" for name in access.loopback_names))
        lines["hosts.file"] = str(hosts)
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _jaas(access: Access) -> str:
    login = f'required username="{access.username}" password="{access.password}";'
    if access.mechanism == "OAUTHBEARER":
        return f"{_LOGIN}.oauthbearer.OAuthBearerLoginModule required;"
    if access.mechanism == "PLAIN":
        return f"{_LOGIN}.plain.PlainLoginModule {login}"
    return f"{_LOGIN}.scram.ScramLoginModule {login}"
