"""The one interface of all cluster providers: what a scenario may ask of a cluster."""

from __future__ import annotations

import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from e2e.components import kubernetes
from e2e.components.docker import Docker
from e2e.components.kubectl import Kubectl
from e2e.components.progress import step

_CTR = ("ctr", "--namespace", "k8s.io")


class Cluster(ABC):
    """One cluster; `with provider(docker) as cluster:` starts and stops it."""

    def __init__(self, docker: Docker) -> None:
        self.docker = docker
        self.folder = Path(tempfile.mkdtemp(prefix="pstock-"))
        """All of its files; its name is short enough for a network interface, too. Gone after `stop()`."""
        self.kubeconfig = self.folder / "kubeconfig"
        """Of the administrator."""
        self._kubectl = Kubectl(kubernetes.program("kubectl"), self.kubeconfig, self.folder / "kubectl")

    def __enter__(self) -> Cluster:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> None:
        """Starts it; returns when its nodes are Ready and its DNS answers."""

    @abstractmethod
    def stop(self) -> None:
        """Ends and removes all that it started."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The address at which this machine reaches the ports of NodePort services."""

    @abstractmethod
    def stop_api_server(self) -> None:
        """Ends the API server at once, as an outage does; pods, their network and the data stay."""

    @abstractmethod
    def start_api_server(self) -> None:
        """Starts it again, with the same address and data; returns when it is ready."""

    @abstractmethod
    def on_node(self, *command: str, archive: Path | None = None) -> str:
        """What a command prints that is run on the node as root, with a file as its standard input."""

    @abstractmethod
    def write_logs(self, folder: Path) -> None:
        """Writes what its components and containers logged to a folder, for the time after a failure."""

    def kubectl(self, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:  # noqa: A002
        """Runs kubectl as the administrator; the caller looks at the exit code."""
        return self._kubectl.run(*arguments, input=input)

    def kubectl_output(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002
        """What kubectl prints as the administrator; RuntimeError with its message where it fails."""
        return self._kubectl.output(*arguments, input=input)

    def node_names(self) -> list[str]:
        """The names of its nodes."""
        return self.kubectl_output("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()

    def load_image(self, image: str | Path) -> None:
        """Gives the node an image: a tag that Docker has, or an archive that `docker save` wrote."""
        with step(f"loading {image.name if isinstance(image, Path) else image} into the cluster"):
            if isinstance(image, Path):
                self._load_archive(image)
                return
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                archive = Path(folder) / "image.tar"
                self.docker.save(image, archive)
                self._load_archive(archive)

    def kill_node_containers(self, namespace: str) -> int:
        """Kills all containers of a namespace's pods at once, as a failing node does; their number."""
        of_namespace = f'labels."io.kubernetes.pod.namespace"=={namespace}'
        containers = set(self.on_node(*_CTR, "containers", "list", "--quiet", of_namespace).split())
        running = containers.intersection(self.on_node(*_CTR, "tasks", "list", "--quiet").split())
        for container in running:
            self.on_node(*_CTR, "tasks", "kill", "--signal", "SIGKILL", container)
        return len(running)

    def _load_archive(self, archive: Path) -> None:
        self.on_node(*_CTR, "images", "import", "-", archive=archive)
