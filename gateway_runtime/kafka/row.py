"""The requests of one connection whose responses are awaited, in their order.

`_relay.pyx` has the same in C, where requests and responses are put in and taken out without Python.
"""

from __future__ import annotations

from collections import deque

Entry = tuple[int, int, int, object, int]
"""API key, version and correlation id of a request, what is to be done with its response, its bytes."""


class Row:
    """First in, first out."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, key: int, version: int, correlation_id: int, what: object = None, size: int = 0) -> None:
        """Put a request at the end."""
        self._entries.append((key, version, correlation_id, what, size))

    def pop(self) -> Entry:
        """Take the first out. Raises IndexError where there is none."""
        return self._entries.popleft()

    def first(self) -> object:
        """What is to be done with the first response; None where there is none."""
        return self._entries[0][3] if self._entries else None
