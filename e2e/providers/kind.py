"""Docker with kind's node image -> a cluster of one kind node. Nothing is pulled: what is there is used."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from e2e.components.commands import run
from e2e.components.docker import Docker, users_docker
from e2e.components.progress import step
from e2e.components.waiting import wait_until
from e2e.providers.cluster import Cluster

_IMAGE = "kindest/node"
_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
_AWAY = "/etc/kubernetes/kube-apiserver.yaml"


def node_image() -> str | None:
    """kind's node image, where Docker, `kind` and the image are on this machine."""
    if not users_docker() or not shutil.which("kind"):
        return None
    images = run(
        ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", _IMAGE], Path.cwd()
    ).split()
    return next((image for image in images if not image.endswith(":<none>")), None)


class KindCluster(Cluster):
    """One node, in a container of the user's Docker."""

    def __init__(self, docker: Docker, image: str) -> None:
        super().__init__(docker)
        self._image = image
        self._name = self.folder.name.replace("_", "-")
        self._node = f"{self._name}-control-plane"

    @property
    def address(self) -> str:
        """The container's."""
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return self.docker.run("container", "inspect", "--format", template, self._node).strip()

    def start(self) -> None:
        """By kind, which waits until the node is Ready."""
        with step(f"starting kind with {self._image}"):
            options = ["--image", self._image, "--kubeconfig", str(self.kubeconfig), "--wait", "180s"]
            self._kind("create", "cluster", *options)

    def stop(self) -> None:
        """Deletes the node's container."""
        self._kind("delete", "cluster", "--kubeconfig", str(self.kubeconfig))
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop_api_server(self) -> None:
        """By taking its manifest from the kubelet."""
        self.on_node("mv", _MANIFEST, _AWAY)
        wait_until("the end of kube-apiserver", lambda: not self._is_ready())

    def start_api_server(self) -> None:
        """By giving it back."""
        self.on_node("mv", _AWAY, _MANIFEST)
        wait_until("kube-apiserver", self._is_ready, seconds=120)

    def on_node(self, *command: str, archive: Path | None = None) -> str:
        """By docker exec."""
        words = ["docker", "exec", "--interactive", self._node, *command]
        with (archive or Path("/dev/null")).open("rb") as file:
            done = subprocess.run(words, stdin=file, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def write_logs(self, folder: Path) -> None:
        """By kind."""
        self._kind("export", "logs", str(folder))

    def _is_ready(self) -> bool:
        return self.kubectl("get", "--raw=/readyz").returncode == 0

    def _kind(self, *arguments: str) -> None:
        run(["kind", *arguments, "--name", self._name], self.folder)
