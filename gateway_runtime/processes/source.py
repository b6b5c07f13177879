"""Where a supervisor gets what to serve: a folder, or a cluster's objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.secrets.store import ProviderState
from gateway_runtime.snapshot.types import Snapshot


class Update(Protocol):
    """What to serve from now on."""

    @property
    def snapshot(self) -> Snapshot:
        """All sections."""
        ...

    @property
    def secrets(self) -> Mapping[str, SecretText]:
        """The values of the secrets that the snapshot names, by URI."""
        ...

    @property
    def problems(self) -> Sequence[object]:
        """What is wrong with the input; each has a text for people."""
        ...


class Source(Protocol):
    """A source of updates."""

    def load(self) -> Update:
        """What to serve now."""
        ...

    def watch(self) -> AsyncIterator[Update]:
        """An update after each change."""
        ...

    def missing(self) -> str:
        """Why there is nothing to serve yet; empty where there is."""
        ...

    def secrets(self) -> Sequence[ProviderState]:
        """How the providers of secrets are."""
        ...
