"""etcd and kube-apiserver -> a Kubernetes API on this machine: the real one, with no controller and no node.

Everything is in one temporary folder and ends with the process that started it. `python -m
e2e.components.control_plane` starts one for developers and prints the path of its kubeconfig.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from e2e.components import kubernetes
from e2e.components.kubeconfig import write_kubeconfig
from e2e.components.kubectl import Kubectl
from e2e.components.ports import ADDRESS, free_port
from e2e.components.processes import Server, start
from e2e.components.waiting import wait_until

_TOKEN_DURATION = "24h"


class ControlPlane:
    """One control plane; `with ControlPlane() as plane:` starts and stops it."""

    def __init__(self) -> None:
        self._programs = {name: kubernetes.program(name) for name in ("etcd", "kube-apiserver", "kubectl")}
        self._folder = Path(tempfile.mkdtemp(prefix="penstock-control-plane-"))
        self._etcd: Server | None = None
        self._api_server: Server | None = None
        self._port = free_port()
        self.token = secrets.token_urlsafe(32)
        self.url = f"https://{ADDRESS}:{self._port}"
        self.kubeconfig = self._folder / "kubeconfig"
        """Of the administrator: the group system:masters."""
        self._kubectl = Kubectl(self._programs["kubectl"], self.kubeconfig, self._folder / "kubectl")

    def __enter__(self) -> ControlPlane:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def authority(self) -> Path:
        """The certificate that the API server made for itself."""
        return self._folder / "pki" / "apiserver.crt"

    def start(self) -> None:
        """Starts both servers; returns when the API server says that it is ready."""
        try:
            self._write_credentials()
            self._start_etcd()
            self.start_api_server()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends both servers and deletes their data."""
        self.stop_api_server()
        if self._etcd:
            self._etcd.kill()
            self._etcd = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def start_api_server(self) -> None:
        """Starts the API server, the first time or again: same port, same certificate, same data."""
        program, log = self._programs["kube-apiserver"], self._folder / "kube-apiserver.log"
        self._api_server = start(program, self._api_server_options(), log)
        wait_until("kube-apiserver", self._is_ready, self._check)

    def stop_api_server(self) -> None:
        """Ends the API server at once, as an outage does; its data stay."""
        if self._api_server:
            self._api_server.kill()
            self._api_server = None

    def kubectl(self, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:  # noqa: A002
        """Runs kubectl as the administrator; the caller looks at the exit code."""
        return self._kubectl.run(*arguments, input=input)

    def kubectl_output(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002
        """What kubectl prints as the administrator; RuntimeError with its message where it fails."""
        return self._kubectl.output(*arguments, input=input)

    def apply_crds(self, folder: Path) -> None:
        """Applies the CustomResourceDefinitions of a folder; returns when clients find their kinds."""
        applied = self.kubectl_output("apply", "--server-side", "-o", "name", "-f", str(folder))
        names = [line.partition("/")[2] for line in applied.split()]
        # Discovery and OpenAPI follow a definition's condition Established only after about a second.
        wait_until(f"the kinds of {folder}", lambda: self._kubectl.finds(names), self._check)

    def kubeconfig_for_service_account(self, namespace: str, name: str) -> Path:
        """A kubeconfig with a fresh token of a service account that exists, with the rights RBAC gives it."""
        token = self.kubectl_output(
            "create", "token", name, "-n", namespace, f"--duration={_TOKEN_DURATION}"
        ).strip()
        path = self._folder / f"kubeconfig-{namespace}-{name}"
        return write_kubeconfig(path, self.url, self.authority, token)

    def _write_credentials(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (self._folder / "service-accounts.key").write_bytes(pem)
        (self._folder / "tokens.csv").write_text(f'{self.token},admin,admin,"system:masters"\n')
        write_kubeconfig(self.kubeconfig, self.url, self.authority, self.token)

    def _start_etcd(self) -> None:
        # Sockets in the folder, not ports: only this user reaches them, and none is taken by another server.
        peers = f"unix://{self._folder}/etcd-peers.sock"
        options = [
            f"--data-dir={self._folder}/etcd",
            "--unsafe-no-fsync",
            f"--listen-client-urls={self._etcd_url}",
            f"--advertise-client-urls={self._etcd_url}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
        ]
        self._etcd = start(self._programs["etcd"], options, self._folder / "etcd.log")

    @property
    def _etcd_url(self) -> str:
        return f"unix://{self._folder}/etcd.sock"

    def _api_server_options(self) -> list[str]:
        key = self._folder / "service-accounts.key"
        return [
            f"--etcd-servers={self._etcd_url}",
            f"--bind-address={ADDRESS}",
            f"--secure-port={self._port}",
            f"--cert-dir={self.authority.parent}",
            f"--token-auth-file={self._folder}/tokens.csv",
            "--anonymous-auth=false",
            "--authorization-mode=RBAC,Node",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",  # no Service may lead to a loopback address
        ]

    def _check(self) -> None:
        for server in (self._etcd, self._api_server):
            if server:
                server.check()

    def _is_ready(self) -> bool:
        # The namespaces of the system, of which `default` is the last, come after /readyz has said yes.
        return self._answers("/readyz") and self._answers("/api/v1/namespaces/default")

    def _answers(self, path: str) -> bool:
        try:
            context = ssl.create_default_context(cafile=self.authority)
            with closing(HTTPSConnection(ADDRESS, self._port, timeout=1, context=context)) as connection:
                connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
                return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False


def main() -> None:
    """Serves until Ctrl-C or SIGTERM."""
    # A shell that begins it in the background leaves it with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with ControlPlane() as plane:
            print(plane.kubeconfig, flush=True)
            print("penstock: export KUBECONFIG as printed; Ctrl-C ends the control plane", file=sys.stderr)
            signal.pause()
    except KeyboardInterrupt:
        print("penstock: control plane stopped", file=sys.stderr)


if __name__ == "__main__":
    main()
