"""Helm's Go module -> the program, built once, and a way to run it that reads nothing of the user's."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from e2e.components import kubernetes
from e2e.components.go import GoModule, GoProgram, built

VERSION = "v3.22.0"
_MAJOR, _MINOR = kubernetes.VERSION.removeprefix("v").split(".")[:2]
_SECONDS = 300.0
_PACKAGE = "helm.sh/helm/v3/cmd/helm"
_HELM = GoProgram(
    name="helm",
    module=GoModule(
        name="helm",
        path="helm.sh/helm/v3",
        version=VERSION,
        go="1.26.0",
        packages=(_PACKAGE,),
        # As in Helm's own build; without them it renders charts for Kubernetes 1.20.
        ldflags=" ".join(
            (
                f"-s -w -X helm.sh/helm/v3/internal/version.version={VERSION}",
                *(
                    f"-X helm.sh/helm/v3/pkg/{package}.k8sVersion{part}={number}"
                    for package in ("chartutil", "lint/rules")
                    for part, number in (("Major", _MAJOR), ("Minor", _MINOR))
                ),
            )
        ),
    ),
    package=_PACKAGE,
    takes="about 2 minutes on 2 cores",
)


def program() -> Path:
    """The path of helm; built the first time."""
    return built(_HELM)


@dataclass(frozen=True, slots=True)
class Helm:
    """The program, a folder for what it keeps, and the cluster it speaks to, if any."""

    program: Path
    folder: Path
    kubeconfig: Path | None = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end; the caller looks at the exit code."""
        return subprocess.run(
            [self.program, *arguments],
            env={**os.environ, **self._environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def output(self, *arguments: str) -> str:
        """What it prints; RuntimeError with its message where it fails."""
        done = self.run(*arguments)
        if done.returncode:
            raise RuntimeError(f"helm {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        folders = {
            f"HELM_{name}_HOME": str(self.folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")
        }
        # A kubeconfig that is not there keeps Helm from the user's own.
        return folders | {"KUBECONFIG": str(self.kubeconfig or self.folder / "no-cluster")}
