"""Kubernetes' own programs, containerd and CoreDNS -> a cluster of one real node; needs root on Debian."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from e2e.components import kubernetes, packages
from e2e.components.docker import Docker
from e2e.components.processes import Server
from e2e.components.progress import step
from e2e.components.waiting import wait_until
from e2e.providers.cluster import Cluster
from e2e.providers.native import images, settings
from e2e.providers.native.addresses import API_SERVER_PORT
from e2e.providers.native.credentials import Credentials
from e2e.providers.native.machine import Machine

_PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "containernetworking-plugins": "/usr/lib/cni/ptp",
    "conntrack": "conntrack",
    "iproute2": "ip",
    "iptables": "iptables",
    "nftables": "nft",
}
_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
_COREDNS = Path(__file__).with_name("coredns.yaml")


class NativeCluster(Cluster):
    """One node, with all of its state in the folder, and all of its processes in the machine's namespaces."""

    def __init__(self, docker: Docker) -> None:
        super().__init__(docker)
        self._machine = Machine(self.folder)
        self._credentials = Credentials(self.folder / "pki")
        self._programs: dict[str, Path] = {}
        self._api_server: Server | None = None

    @property
    def address(self) -> str:
        """The node's."""
        return self._machine.address

    def start(self) -> None:
        """Builds what the cache lacks, then starts the node."""
        packages.require(_PACKAGES)
        self._programs = {name: kubernetes.program(name) for name in _PROGRAMS}
        archives = [images.pause(self.docker), images.dns(self.docker)]
        with step("starting a native node"):
            self._credentials.write(self.address)
            self.kubeconfig.symlink_to(self._credentials.kubeconfig("admin"))
            self._machine.start()
            self._start_control_plane()
            self._start_node(archives)
            self._start_dns()

    def stop(self) -> None:
        """Ends all processes; the kernel and the keeper remove the rest."""
        self._machine.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_api_server(self) -> None:
        """Same address, same data."""
        options = settings.api_server(self.address, self._credentials)
        self._api_server = self._serve("kube-apiserver", options)
        wait_until("kube-apiserver", self._api_server_is_ready, self._machine.check)

    def stop_api_server(self) -> None:
        """By SIGKILL."""
        if self._api_server:
            self._machine.kill_server(self._api_server)
            self._api_server = None
            wait_until("the end of kube-apiserver", lambda: not self._accepts())

    def on_node(self, *command: str, archive: Path | None = None) -> str:
        """By nsenter(1)."""
        return self._machine.run(command, archive)

    def write_logs(self, folder: Path) -> None:
        """The output of all components, and the containers' logs."""
        folder.mkdir(parents=True, exist_ok=True)
        for log in self.folder.glob("*.log"):
            shutil.copy(log, folder)
        pods = self.folder / "log" / "pods"
        if pods.is_dir():
            shutil.copytree(pods, folder / "pods", dirs_exist_ok=True)

    def _start_control_plane(self) -> None:
        self._serve("etcd", settings.etcd(self.folder))
        self.start_api_server()
        self._serve("kube-controller-manager", settings.controller_manager(self._credentials))
        self._serve("kube-scheduler", settings.scheduler(self._credentials))

    def _start_node(self, archives: list[Path]) -> None:
        self._machine.run_server(Path("/usr/bin/containerd"), settings.containerd(self.folder))
        wait_until("containerd", self._containerd_is_ready, self._machine.check)
        for archive in archives:
            self.load_image(archive)
        self._serve("kubelet", settings.kubelet(self.address, self._credentials, self.folder))
        self._serve("kube-proxy", settings.kube_proxy(self._credentials, self.folder))
        self._wait_for_condition("Ready", "node", "--all")

    def _start_dns(self) -> None:
        self.kubectl_output("apply", "--filename", str(_COREDNS))
        self._wait_for_condition("Available", "deployment/coredns", "--namespace=kube-system")

    def _wait_for_condition(self, condition: str, *what: str) -> None:
        def holds() -> bool:
            return self.kubectl("wait", f"--for=condition={condition}", "--timeout=2s", *what).returncode == 0

        wait_until(f"condition {condition} of {what[0]}", holds, self._machine.check)

    def _serve(self, name: str, options: list[str]) -> Server:
        return self._machine.run_server(self._programs[name], options)

    def _api_server_is_ready(self) -> bool:
        # The namespaces of the system, of which `default` is the last, come after /readyz has said yes.
        ready = self.kubectl("get", "--raw=/readyz").returncode == 0
        return ready and self.kubectl("get", "namespace", "default").returncode == 0

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.address, API_SERVER_PORT)) == 0

    def _containerd_is_ready(self) -> bool:
        try:
            self.on_node("ctr", "version")
        except RuntimeError:
            return False
        return True
