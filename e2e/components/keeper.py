"""Runs `unshare --fork --kill-child ...` and cleans up after it when standard input ends.

Run as a script: `keeper.py NAME FOLDER COMMAND...`. When who started it is gone, or closes the pipe, the
command and all processes of its PID namespace are killed, and with its namespaces the kernel takes their
mounts, interfaces and packet filter rules. What is left is removed here: the interface NAME that leads to
them, the cgroups NAME, and the folder.
"""

import contextlib
import ctypes
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_INTERFACES = Path("/sys/class/net")
_CGROUPS = Path("/sys/fs/cgroup")


def _kill(child: "subprocess.Popen[bytes]") -> None:
    # The namespace's first process dies with `unshare` and is then a child of this one (prctl(2)); the kernel
    # lets it end only after all others of its namespace, so that nothing uses the folder after these waits.
    child.kill()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def _remove_interface(name: str) -> None:
    # It would stay until the kernel gives up the last connection that nobody answers any more: minutes.
    if (_INTERFACES / name).exists():
        subprocess.run(["ip", "link", "delete", name], check=False)


def _remove_cgroups(name: str) -> None:
    for top in (_CGROUPS / name, *_CGROUPS.glob(f"*/{name}")):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(FileNotFoundError):
                Path(folder).rmdir()


if __name__ == "__main__":
    own_name, own_folder, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    select.select([sys.stdin, os.pidfd_open(running.pid)], [], [])
    _kill(running)
    _remove_interface(own_name)
    _remove_cgroups(own_name)
    shutil.rmtree(own_folder, ignore_errors=True)
