"""How a client reaches a cluster or a gateway, and what any driver of a client can do there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

from e2e.components.kafka_certificates import Identity

PATIENCE = 60.0
"""Seconds after which a client that waits has failed; most waits take a fraction of one."""
GroupProtocol = Literal["classic", "consumer"]


@dataclass(frozen=True, slots=True)
class Access:
    """Where a client goes and as whom; the defaults are those of a client without credentials."""

    bootstrap: str
    mechanism: str = ""
    username: str = ""
    password: str = ""
    """With OAUTHBEARER the token."""
    ca: Path | None = None
    """Trusting it means TLS."""
    identity: Identity | None = None
    loopback_names: tuple[str, ...] = ()
    """Names that no DNS knows and that are at the loopback address, for clients that can be told."""

    @property
    def protocol(self) -> str:
        """The name of the security protocol."""
        base = "SSL" if self.ca else "PLAINTEXT"
        return f"SASL_{base}" if self.mechanism else base


class ClientError(Exception):
    """What a client was told, by Kafka's own name of the error."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(f"{name} {detail}".strip())
        self.name = name


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """Where a record is."""

    partition: int
    offset: int


@dataclass
class Seen:
    """What a member of a group has been given so far, filled by a thread of its driver."""

    partitions: frozenset[int] = frozenset()
    values: list[str] = field(default_factory=list)
    failure: str = ""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def assigned(self, partitions: Sequence[int]) -> None:
        """The member has these partitions now."""
        with self.changed:
            self.partitions = frozenset(partitions)
            self.changed.notify_all()

    def received(self, values: Sequence[str]) -> None:
        """The member got more records."""
        with self.changed:
            self.values.extend(values)
            self.changed.notify_all()

    def failed(self, why: str) -> None:
        """The member has ended with an error."""
        with self.changed:
            self.failure = why
            self.changed.notify_all()

    def wait(self, what: str, holds: Callable[[Seen], bool]) -> None:
        """Returns when it holds."""
        with self.changed:
            there = self.changed.wait_for(lambda: bool(self.failure) or holds(self), PATIENCE)
            assert there, f"{what}: not after {PATIENCE:.0f} s; {self.partitions} {len(self.values)} records"
            assert not self.failure, self.failure


class Member:
    """A member of a group while the block runs: `run(seen, stopped)` polls in a thread till it is stopped."""

    def __init__(self, run: Callable[[Seen, threading.Event], None]) -> None:
        self.seen = Seen()
        self._stopped = threading.Event()
        self._run = run
        self._thread = threading.Thread(target=self._body, daemon=True)

    def __enter__(self) -> Seen:
        self._thread.start()
        return self.seen

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = self.seen.failure
        self._stopped.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the member does not end"
        assert self.seen.failure == before, self.seen.failure

    def _body(self) -> None:
        try:
            self._run(self.seen, self._stopped)
        except BaseException as error:
            self.seen.failed(repr(error))


class Driver(Protocol):
    """A real client library. Each call is a client of its own, that is closed at its end."""

    name: str
    access: Access

    def produce(self, topic: str, values: Sequence[str], acks: str = "all") -> list[Placed]:
        """Writes records; where they are (offset -1 where nobody tells, with acks=0)."""

    def consume(self, topic: str, count: int, *, committed: bool = False) -> list[str]:
        """Reads so many records of a topic from its start, without a group."""

    def member(self, topic: str, group: str, protocol: GroupProtocol = "classic") -> Member:
        """A member of a group that reads a topic from its start."""

    def transact(self, topic: str, values: Sequence[str], transactional_id: str, *, commit: bool) -> None:
        """Writes records in a transaction, and commits or aborts it."""

    def create_topic(self, topic: str, partitions: int = 1) -> None:
        """Makes a topic with the cluster's usual number of copies."""

    def delete_topic(self, topic: str) -> None:
        """Removes a topic."""

    def topics(self) -> set[str]:
        """The names of all topics that the client sees, but for internal ones."""

    def leaders(self, topic: str) -> dict[int, str]:
        """HOST:PORT of the leader of each partition."""

    def nodes(self) -> set[str]:
        """HOST:PORT of all brokers."""

    def configs(self, topic: str) -> dict[str, str | None]:
        """The configuration of a topic."""

    def alter_config(self, topic: str, name: str, value: str) -> None:
        """Sets one property of a topic."""

    def groups(self) -> set[str]:
        """The names of all groups that the client sees."""

    def group_state(self, group: str) -> str:
        """The state of a group in Kafka's words, in small letters."""
