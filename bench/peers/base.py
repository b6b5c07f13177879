"""What a peer is: a name, and how it serves a work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.works import Work


@dataclass(frozen=True, slots=True)
class Task:
    """A work to be served: where to listen, where the backend is, and a folder for files."""

    work: Work
    port: int
    backend: int
    folder: Path


class Peer(Protocol):
    """A proxy that can be measured."""

    name: str

    def version(self) -> str:
        """What the program calls its version."""
        ...

    def command(self, task: Task) -> list[str]:
        """Writes the configuration of a work and answers the command that serves it in the foreground."""
        ...
