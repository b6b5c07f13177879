"""Dockerfiles -> images and archives of them, with Docker: the user's, else an engine of our own.

The engine of our own is Debian's `docker.io` in namespaces of its own: no bridge, no packet filter rules, and
gone with the process that started it. Only its images and build cache stay, cached. It asks no registry.

    python -m e2e.components.docker build --network host --tag penstock:dev .

runs a Docker command against that engine, for machines with no registry.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from e2e.components import packages
from e2e.components.base_image import TAG, base_archive
from e2e.components.cache import cache_root
from e2e.components.commands import BuildError, run
from e2e.components.processes import Server, start_enclosed
from e2e.components.progress import say, step
from e2e.components.waiting import wait_until


def users_docker() -> bool:
    """Whether a Docker engine answers the `docker` command here."""
    if not shutil.which("docker"):
        return False
    done = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, check=False
    )
    return done.returncode == 0


class Docker:
    """The `docker` command; an own engine is started on first use, and ended by `close()`."""

    def __init__(self) -> None:
        self._engine: Server | None = None
        self._lock: IO[bytes] | None = None
        self._environment: dict[str, str] | None = {} if users_docker() else None

    def __enter__(self) -> Docker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends an engine of our own; its images stay in the cache."""
        if self._engine:
            self._engine.kill()
            self._engine, self._environment = None, None
        if self._lock:
            self._lock.close()
            self._lock = None

    @property
    def environment(self) -> dict[str, str]:
        """What the `docker` command needs to find the engine."""
        if self._environment is None:
            self._environment = self._start()
        return self._environment

    def run(self, *arguments: str | Path) -> str:
        """What a Docker command prints; BuildError where it fails."""
        return run(["docker", *arguments], Path.cwd(), self.environment)

    def build(self, folder: Path, tag: str, *options: str) -> None:
        """Builds the Dockerfile of a folder; its steps reach the network as this machine does."""
        with step(f"docker build {tag}"):
            self.run("build", "--network", "host", "--tag", tag, *options, folder)

    def save(self, tag: str, archive: Path) -> None:
        """Writes an image as `docker load` and containerd read it."""
        self.run("save", "--output", archive, tag)

    def has(self, tag: str) -> bool:
        """Whether the engine has the image."""
        return bool(self.run("image", "ls", "--quiet", tag).strip())

    def _start(self) -> dict[str, str]:
        packages.require({"docker.io": "dockerd"})
        data = cache_root() / "docker"
        data.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(data.parent / ".docker.lock")
        folder = Path(tempfile.mkdtemp(prefix="penstock-docker-"))
        (folder / "daemon.json").write_text("{}", encoding="ascii")  # not the user's
        environment = {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
        self._engine = start_enclosed(folder.name, folder, _engine(folder, data), folder / "log")
        ready = ["docker", "version"]
        wait_until("Docker", lambda: _succeeds(ready, environment), self._engine.check)
        self._add_base(environment)
        return environment

    def _add_base(self, environment: dict[str, str]) -> None:
        """The base of our images, under its usual name: no registry is asked for it."""
        if not run(["docker", "image", "ls", "--quiet", TAG], Path.cwd(), environment).strip():
            # pip trusts what this machine trusts.
            changes = [
                "--change",
                "CMD python3",
                "--change",
                "ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt",
            ]
            run(["docker", "import", *changes, base_archive(), TAG], Path.cwd(), environment)


def _engine(folder: Path, data: Path) -> list[str]:
    return [
        *("--mount", "--pid", "--mount-proc", "dockerd"),
        f"--config-file={folder}/daemon.json",
        f"--data-root={data}",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        f"--host=unix://{folder}/docker.sock",
        f"--cgroup-parent=/{folder.name}",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
    ]


def _locked(path: Path) -> IO[bytes]:
    """Two engines cannot share the data: the second waits until the first has ended."""
    file = path.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another process that uses Docker")
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _succeeds(command: list[str], environment: dict[str, str]) -> bool:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=False)
    return done.returncode == 0


def main() -> int:
    """Runs one Docker command."""
    try:
        with Docker() as docker:
            command = ["docker", *sys.argv[1:]]
            return subprocess.run(command, env={**os.environ, **docker.environment}, check=False).returncode
    except BuildError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
