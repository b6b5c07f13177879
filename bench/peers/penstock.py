"""Penstock: `penstock run` on a folder of manifests, with one worker."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from bench.manifests import write_manifests
from bench.peers.base import Task
from bench.processes import free_port

_ROOT = Path(__file__).parents[2]


class Penstock:
    """The checkout that this file is part of."""

    name = "penstock"

    def version(self) -> str:
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
        command = ["git", "-C", str(_ROOT), "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        return f"{project['version']} {commit}".strip()

    def command(self, task: Task) -> list[str]:
        folder = task.folder / "manifests"
        write_manifests(task.work, task.port, task.backend, folder)
        admin = f"127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "penstock_operator.cli.main", "run", "-f", str(folder)]
        return [*command, "--workers", "1", "--admin", admin]
