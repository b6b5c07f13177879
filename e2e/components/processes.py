"""A command line -> a server with its output in a file, that never outlives the process that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.components import guard, keeper
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

    def processes(self) -> list[int]:
        """The ids of the server's processes that its guard started."""
        children = Path(f"/proc/{self.guard.pid}/task/{self.guard.pid}/children")
        return [int(child) for child in children.read_text(encoding="ascii").split()]

    def signal(self, number: int) -> None:
        """Sends the server a signal."""
        for process in self.processes():
            os.kill(process, number)

    def kill(self) -> None:
        """Ends it at once, as a failing machine does, with all that it started; returns when it is gone."""
        self.guard.communicate()  # closes the guard's standard input


def start(program: Path, options: Sequence[str], log: Path, *, inside: Sequence[str] = ()) -> Server:
    """Starts a server in the log's folder; its output is appended to the log.

    `inside` is the command that runs it elsewhere: `nsenter` with its options.
    """
    words = [guard.__file__, *inside, str(program), *options]
    return Server(program.name, _guarded(words, log), log)


def start_enclosed(name: str, folder: Path, unshare: Sequence[str], log: Path) -> Server:
    """Starts `unshare` with these arguments; when it ends, all of that `name` is removed (see keeper.py)."""
    command = ["unshare", "--fork", "--kill-child", *unshare]
    return Server(name, _guarded([keeper.__file__, name, str(folder), *command], log), log)


def _guarded(words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", *words],
            cwd=log.parent,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
