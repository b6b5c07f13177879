"""Partitions of fetch sessions (KIP-227, KIP-932) that a client asked for and its broker never hears of."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

Message = dict[str, Any]

_SESSIONS: Final = 16
"""Of one connection; a client has one with each broker, and closes it before it begins another."""


@dataclass(slots=True)
class Withheld:
    """A partition as the client asked for it, and why it does not get it."""

    topic: Message
    partition: Message
    code: int


Partitions = dict[tuple[str | bytes, int], Withheld]
"""By the topic's name or id, and the partition's index."""


class PartitionSessions:
    """The withheld partitions of each session on one connection."""

    __slots__ = ("_sessions",)

    def __init__(self) -> None:
        self._sessions: dict[Hashable, Partitions] = {}

    def get(self, session: Hashable) -> Partitions | None:
        """What is withheld from a session; None where nothing is."""
        return self._sessions.get(session)

    def keep(self, session: Hashable, partitions: Partitions) -> None:
        """Remember what is withheld from a session."""
        self._sessions.pop(session, None)
        if not partitions:
            return
        if len(self._sessions) >= _SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[session] = partitions

    def drop(self, session: Hashable) -> None:
        """Forget a session that is over."""
        self._sessions.pop(session, None)
