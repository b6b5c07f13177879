"""A command line -> a server with its output in a file, that never outlives the process that started it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.components import guard
from e2e.components.commands import tail


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: a process group of its own, led by its guard."""

    name: str
    guard: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises RuntimeError, with the end of its output, where the server has ended."""
        code = self.guard.poll()
        if code is not None:
            raise RuntimeError(f"{self.name} ended with {code}:\n{self.output()}")

    def output(self) -> str:
        """The end of what it wrote."""
        return tail(self.log.read_text(encoding="utf-8", errors="replace"))

    def kill(self) -> None:
        """Ends it at once, as a failing machine does, with all that it started; returns when it is gone."""
        self.guard.communicate()  # closes the guard's standard input


def start(program: Path, options: Sequence[str], log: Path) -> Server:
    """Starts a server in the log's folder; its output is appended to the log."""
    words = [sys.executable, "-I", "-S", guard.__file__, str(program), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(
            words,
            cwd=log.parent,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Server(program.name, process, log)
