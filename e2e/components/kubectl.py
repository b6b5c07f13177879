"""Arguments -> what kubectl says, with a kubeconfig and a cache of its own: nothing of the user's is read."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The program, whom it speaks as, and where it keeps what it discovers."""

    program: Path
    kubeconfig: Path
    cache: Path

    def run(self, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:  # noqa: A002
        """Runs it to its end; the caller looks at the exit code."""
        own = {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.cache), "KUBERC": "off"}
        return subprocess.run(
            [self.program, *arguments],
            input=input or "",
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def output(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002
        """What it prints; RuntimeError with its message where it fails."""
        done = self.run(*arguments, input=input)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def finds(self, names: list[str]) -> bool:
        """Whether clients find these resources, and their fields, in the API; nothing cached is believed."""
        found = self.run("api-resources", "--cached=false", "-o", "name").stdout.split()
        return set(names) <= set(found) and all(self.run("explain", name).returncode == 0 for name in names)
