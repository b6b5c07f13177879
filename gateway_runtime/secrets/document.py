"""What is known of one document of secrets: its last good values, how old they are, and what is wrong.

A value that was there once stays while it is referenced, even where its document is gone or its provider
away: what serves goes on serving. Only `expire` drops values.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from gateway_runtime.secrets.hidden import SecretBytes

_LOG: Final = logging.getLogger(__name__)


class Document:
    """One document, as its provider tells of it; `changed` is called after each change."""

    def __init__(self, name: str, changed: Callable[[], None], now: Callable[[], float]) -> None:
        self.name = name
        self.failures: int = 0
        """How often it could not be had."""
        self._changed = changed
        self._now = now
        self._read: bool = False
        self._trouble: str = ""
        self._present: Mapping[str, SecretBytes] = {}
        self._last: dict[str, SecretBytes] = {}
        self._stale_since: float | None = now()

    # -- what a provider tells

    def put(self, values: Mapping[str, SecretBytes]) -> None:
        """All values as they are now."""
        news = not self._read or bool(self._trouble) or values != self._present
        self._read = True
        self._trouble = ""
        self._present = values
        self._last.update(values)
        if self._stale_since is not None:
            self._stale_since = self._now()
        if news:
            self._changed()

    def confirm(self) -> None:
        """What is known still holds."""
        self._stale_since = self._now()
        self.trouble("")

    def live(self) -> None:
        """From now on each change is told at once: what is known does not age."""
        self._stale_since = None
        self.trouble("")

    def gone(self) -> None:
        """It is known not to be there."""
        if self._present:
            _LOG.warning("%s is gone: its last values are used on", self.name)
        if self._present or not self._read:
            self._read = True
            self._present = {}
            self._grow_old()
            self._changed()

    def trouble(self, reason: str) -> None:
        """Why it cannot be followed at present; empty where it can."""
        if reason:
            self.failures += 1
            self._grow_old()
        if reason != self._trouble:
            self._trouble = reason
            self._changed()

    def expire(self, max_age: float) -> None:
        """Drop values that are older than that."""
        if self._last and self.age() >= max_age:
            _LOG.warning("%s could not be read anew for %g s: its values are dropped", self.name, max_age)
            self._last = {}
            self._present = {}
            self._changed()

    # -- what the store asks

    def value(self, key: str) -> SecretBytes | None:
        """The last good value of a key."""
        return self._last.get(key)

    def age(self) -> float:
        """Seconds since the values were known to be right; 0 while they are followed."""
        return 0.0 if self._stale_since is None else max(0.0, self._now() - self._stale_since)

    def is_unread(self) -> bool:
        """Whether it was not looked at yet."""
        return not (self._read or self._trouble)

    def problem(self, key: str) -> str:
        """Why a key has no value; empty where it has."""
        if key in self._last:
            return ""
        if self._trouble:
            reason = self._trouble
        elif self.is_unread():
            reason = "it is being read"
        elif not self._present:
            reason = "it is not there"
        else:
            reason = f"it has no key {key}" if key else "it has no value"
        return f"{self.name}: {reason}"

    def _grow_old(self) -> None:
        if self._stale_since is None:
            self._stale_since = self._now()
