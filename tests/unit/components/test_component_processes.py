"""Servers that never outlive who started them."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.components.processes import Server, start

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 10.0

WRITES_ITS_ID = "import os, signal; print(os.getpid(), flush=True); signal.pause()"

STARTER = f"""
import sys
from pathlib import Path
from e2e.components.processes import start
server = start(Path(sys.executable), ["-c", {WRITES_ITS_ID!r}], Path(sys.argv[1]))
print("started", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def output(tmp_path: Path) -> Iterator[int]:
    """The reading end of a pipe with a name, `server.log`, that a server writes to."""
    os.mkfifo(tmp_path / "server.log")
    descriptor = os.open(tmp_path / "server.log", os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def process_id(output: int) -> int:
    assert select.select([output], [], [], PATIENCE)[0]
    return int(os.read(output, 100))


def ends(pidfd: int) -> bool:
    try:
        return bool(select.select([pidfd], [], [], PATIENCE)[0])
    finally:
        os.close(pidfd)


def test_a_server_is_gone_when_kill_returns(tmp_path: Path, output: int) -> None:
    server = start(Path(sys.executable), ["-c", WRITES_ITS_ID], tmp_path / "server.log")
    server_id = process_id(output)
    server.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(server_id, 0)


def test_a_server_ends_when_its_starter_is_killed(tmp_path: Path, output: int) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path / "server.log")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        server = os.pidfd_open(process_id(output))
        starter.kill()
    assert ends(server)


def test_a_server_that_ended_is_told_with_its_output(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    server: Server = start(Path("/bin/sh"), ["-c", "echo port is taken; exit 4"], log)
    server.guard.wait(PATIENCE)
    with pytest.raises(RuntimeError, match="sh ended with 4:\nport is taken"):
        server.check()
    server.kill()
