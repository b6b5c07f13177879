"""Starts servers on one CPU and reads what they use of it from /proc (proc(5)).

A server's figures are those of its whole process tree; its worker is the process that used most CPU.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROXY_CPU = 0
LOAD_CPU = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident and proportional set size of one process, in MiB."""

    rss: float
    pss: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and the file with its output."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tree(self) -> list[int]:
        """The ids of the process and all that it started, directly or not."""
        found = [self.process.pid]
        for pid in found:
            found.extend(_children(pid))
        return found

    def cpu_seconds(self) -> float:
        """User and system time of the tree so far."""
        return sum(_cpu_seconds(pid) for pid in self.tree())

    def worker(self) -> int:
        """The id of the process that serves: of a supervisor's processes one that it started.

        Where there are several, it is the one that used most CPU.
        """
        tree = self.tree()
        serving = [pid for pid in tree if b"gateway_runtime.processes.worker" in _command(pid)]
        return max(serving or tree, key=_cpu_seconds)

    def worker_memory(self) -> Memory:
        """The memory of the worker."""
        return memory(self.worker())

    def check(self) -> None:
        """Raises RuntimeError where the server has ended, with the end of its output."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """The end of the server's output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def on_cpu(cpu: int, command: Sequence[str]) -> list[str]:
    """The command, pinned to one CPU."""
    return ["taskset", "-c", str(cpu), *command]


@contextmanager
def running(name: str, command: Sequence[str], cpu: int | None, log: Path) -> Iterator[Server]:
    """A server while it is needed, on one CPU or all; its whole tree is stopped by its ids at the end."""
    words = list(command) if cpu is None else on_cpu(cpu, command)
    with log.open("wb") as output:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    server = Server(name, process, log)
    try:
        yield server
    finally:
        _stop(server)


def memory(pid: int) -> Memory:
    """VmRSS and Pss of a process."""
    rss = _field(Path(f"/proc/{pid}/status"), "VmRSS:")
    return Memory(round(rss / 1024, 2), round(_field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") / 1024, 2))


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _stop(server: Server) -> None:
    children = server.tree()[1:]
    server.process.terminate()
    try:
        server.process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in children:
            _kill(pid)
        server.process.kill()
        server.process.wait()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").glob("*/children")
        for child in _read(task).split()
    ]  # fmt: skip


def _cpu_seconds(pid: int) -> float:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _field(path: Path, name: str) -> int:
    return next((int(line.split()[1]) for line in _read(path).splitlines() if line.startswith(name)), 0)


def _read(path: Path) -> str:
    """The file's text, empty where its process is gone."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
