"""The processes of a gateway, ended by the signals that leave a core, and looked into by their own user.

Root may look into all: what looks, and the gateway, run without root's capabilities, as any user does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "processes"))
from running import Running, free_ports, gateway, open_api

UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
LOOK = """
import ctypes, json, subprocess, sys

SEIZE = 0x4206


def got(pid):
    found = []
    for name in ("mem", "environ", "maps"):
        try:
            open(f"/proc/{pid}/{name}", "rb").read(0)
            found.append(name)
        except OSError:
            pass
    if ctypes.CDLL(None).ptrace(SEIZE, int(pid), 0, 0) == 0:
        found.append("ptrace")
    return found


other = subprocess.Popen(["sleep", "60"])
print(json.dumps([got(other.pid), *(got(pid) for pid in sys.argv[1:])]))
other.kill()
"""
"""What a process of a user gets of another one of that user, and of those that are named."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Running]:
    """A gateway of two workers that may leave as large a core as this machine allows, in an empty folder."""
    for name in ("manifests", "cores"):
        (tmp_path / name).mkdir()
    manifests = gateway(*free_ports(1)) + "---" + open_api("orders", backend=9)
    (tmp_path / "manifests" / "all.yaml").write_text(manifests)
    cores = f'cd {tmp_path}/cores && ulimit -c "$(ulimit -Hc)" && exec "$@"'
    # A shell's job in the background has SIGQUIT ignored, and so have all that it starts.
    within = ("env", "--default-signal=QUIT", "sh", "-c", cores, "sh", *UNPRIVILEGED)
    running = Running(tmp_path / "manifests", within=within)
    yield running.ready()
    running.stop()


def core_limit(pid: int) -> list[str]:
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    return next(line.split()[4:6] for line in lines if line.startswith("Max core file size"))


def test_another_process_of_the_same_user_gets_nothing_of_a_gateways_processes(served: Running) -> None:
    pids = [str(pid) for pid in (served.process.pid, *served.workers())]
    looked = subprocess.run(
        [*UNPRIVILEGED, sys.executable, "-c", LOOK, *pids], capture_output=True, text=True, check=True
    )
    other, *found = json.loads(looked.stdout)
    assert "environ" in other, "it gets nothing of any process"
    assert len(found) == 3
    assert found == [[]] * 3


def test_workers_and_supervisor_leave_no_core_whichever_signal_ends_them(
    served: Running, tmp_path: Path
) -> None:
    first, second = served.workers()
    assert [core_limit(pid) for pid in (served.process.pid, first, second)] == [["0", "0"]] * 3
    for count, (worker, number) in enumerate(((first, signal.SIGSEGV), (second, signal.SIGABRT)), start=1):
        os.kill(worker, number)
        served.err.wait("has died", count)
    served.signal(signal.SIGQUIT)
    _, status = os.waitpid(served.process.pid, 0)
    served.process.returncode = -os.WTERMSIG(status)
    assert os.WTERMSIG(status) == signal.SIGQUIT
    assert not os.WCOREDUMP(status)
    assert list((tmp_path / "cores").iterdir()) == []
