"""One request of a client and what becomes of it on the way to the broker and back."""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]


class Call:
    """A decoded request. `edited` and `response_edited` tell whether the bytes as they came will not do."""

    __slots__ = (
        "client_id",
        "closes",
        "correlation_id",
        "denied",
        "edited",
        "existing",
        "key",
        "listed",
        "message",
        "notes",
        "refused",
        "response_edited",
        "size",
        "version",
    )

    def __init__(self, key: int, version: int, message: Message) -> None:
        self.key = key
        self.version = version
        self.message = message
        self.correlation_id: int = 0
        self.client_id: str | None = None
        self.edited: bool = False
        self.response_edited: bool = False
        self.denied: list[tuple[Any, int]] | None = None
        """Parts taken out of the request, each with its error code."""
        self.notes: Any = None
        """What the handler of the API needs of the request once the response is there."""
        self.refused: list[Any] | None = None
        """Partitions of a Produce request that policies refused, as `RefusedPartition`."""
        self.size: int = 0
        """Bytes of the request's frame."""
        self.closes: bool = False
        """Whether the connection ends with this request: so brokers refuse what has no response."""
        self.existing: frozenset[str] | None = None
        """The topics of `Interposer.lookup` that are there, by the cluster's names; None: not asked."""
        self.listed: bool = False
        """Whether the client asked for all topics."""
