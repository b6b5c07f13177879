"""A folder -> the namespaces that a native node lives in, with a network cable from this machine to it.

All processes of the node are in one PID namespace; its mounts, interfaces and packet filter rules are in
namespaces of the same life: ending the first process removes all of it, also where the tests were killed.
"""

from __future__ import annotations

import ipaddress
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from e2e.components.commands import run
from e2e.components.processes import Server, start, start_enclosed
from e2e.components.waiting import wait_until

_INIT = Path(__file__).with_name("init.sh")
_LINKS = ipaddress.IPv4Network("198.18.0.0/15")  # RFC 2544: for tests of network devices, in use nowhere else
_CGROUPS = Path("/sys/fs/cgroup")


class Machine:
    """The namespaces; `start()` makes them, `stop()` ends all that runs in them and deletes the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._init: Server | None = None
        self._servers: list[Server] = []
        subnet = ipaddress.IPv4Network((int(_LINKS[0]) + 4 * random.randrange(_LINKS.num_addresses // 4), 30))
        self._here = f"{subnet[1]}/30"
        self.address = str(subnet[2])
        """The node's, which this machine reaches."""

    def start(self) -> None:
        """Makes the namespaces and the cable."""
        self._make_cgroups()
        namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts"]
        command = [*namespaces, str(_INIT), str(self._folder)]
        self._init = start_enclosed(self._folder.name, self._folder, command, self._folder / "init.log")
        wait_until("the node's namespaces", (self._folder / "init.pid").exists, self.check)
        self._connect()

    def stop(self) -> None:
        """Ends all processes; their mounts, interfaces, cgroups and the folder are gone when it returns."""
        if self._init:
            self._init.kill()
        for server in self._servers:
            server.kill()
        self._init, self._servers = None, []

    def run_server(self, program: Path, options: Sequence[str]) -> Server:
        """Starts a server on the node; it ends with the node at the latest."""
        log = self._folder / f"{program.name}.log"
        server = start(program, options, log, inside=self._enter())
        self._servers.append(server)
        return server

    def kill_server(self, server: Server) -> None:
        """Ends one server at once."""
        self._servers.remove(server)
        server.kill()

    def run(self, command: Sequence[str], archive: Path | None = None) -> str:
        """What a command prints that is run on the node; RuntimeError where it fails."""
        with (archive or Path("/dev/null")).open("rb") as file:
            done = subprocess.run(
                [*self._enter(), *command], stdin=file, capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def check(self) -> None:
        """Raises RuntimeError, with the end of its output, where a server has ended."""
        for server in (self._init, *self._servers):
            if server:
                server.check()

    def _enter(self) -> list[str]:
        return ["nsenter", f"--target={self._pid}", "--mount", "--pid", "--net", "--ipc", "--uts"]

    @property
    def _pid(self) -> str:
        return (self._folder / "init.pid").read_text(encoding="ascii").strip()

    def _make_cgroups(self) -> None:
        """One below each hierarchy, or below the only one of cgroup v2: the kubelet asks for its root."""
        unified = (_CGROUPS / "cgroup.controllers").exists()
        for hierarchy in [_CGROUPS] if unified else _CGROUPS.iterdir():
            if not hierarchy.is_symlink():
                (hierarchy / self._folder.name).mkdir()

    def _connect(self) -> None:
        cable = self._folder.name
        commands = [
            f"link add {cable} type veth peer name eth0 netns {self._pid}",
            f"address add {self._here} dev {cable}",
            f"link set {cable} up",
        ]
        for command in commands:
            run(["ip", *command.split()], self._folder)
        self.run(["ip", "address", "add", f"{self.address}/30", "dev", "eth0"])
        self.run(["ip", "link", "set", "eth0", "up"])
