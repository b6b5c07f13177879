"""A node's address and credentials -> command lines and configuration files of its components."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from e2e.providers.native.addresses import (
    API_SERVER_PORT,
    DNS_DOMAIN,
    DNS_SERVICE,
    NODE,
    PAUSE_IMAGE,
    PODS,
    SERVICES,
)
from e2e.providers.native.credentials import Credentials

CONTAINERD_SOCKET = "unix:///run/containerd/containerd.sock"
_CNI_PLUGINS = "/usr/lib/cni"
_ETCD_URL = "http://127.0.0.1:2379"


def etcd(folder: Path) -> list[str]:
    """One member, which need not survive a power failure."""
    data = f"--data-dir={folder}/etcd"
    return [
        data,
        "--unsafe-no-fsync",
        f"--listen-client-urls={_ETCD_URL}",
        f"--advertise-client-urls={_ETCD_URL}",
    ]


def api_server(address: str, credentials: Credentials) -> list[str]:
    """Serves pods and this machine at the node's address; reaches the kubelet for logs and exec."""
    key = credentials.key("service-accounts")
    return [
        f"--etcd-servers={_ETCD_URL}",
        "--bind-address=0.0.0.0",
        f"--advertise-address={address}",
        f"--secure-port={API_SERVER_PORT}",
        f"--tls-cert-file={credentials.certificate('apiserver')}",
        f"--tls-private-key-file={credentials.key('apiserver')}",
        f"--client-ca-file={credentials.authority}",
        f"--token-auth-file={credentials.tokens}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-cluster-ip-range={SERVICES}",
        f"--kubelet-client-certificate={credentials.certificate('kubelet-client')}",
        f"--kubelet-client-key={credentials.key('kubelet-client')}",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def controller_manager(credentials: Credentials) -> list[str]:
    """All controllers, each with its own service account."""
    return [
        f"--kubeconfig={credentials.kubeconfig('system:kube-controller-manager')}",
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--root-ca-file={credentials.authority}",
        f"--service-account-private-key-file={credentials.key('service-accounts')}",
        f"--cluster-signing-cert-file={credentials.authority}",
        f"--cluster-signing-key-file={credentials.key('ca')}",
    ]


def scheduler(credentials: Credentials) -> list[str]:
    """The default profile."""
    return [f"--kubeconfig={credentials.kubeconfig('system:kube-scheduler')}", "--leader-elect=false"]


def kubelet(address: str, credentials: Credentials, folder: Path) -> list[str]:
    """One node, with its configuration file."""
    (folder / "resolv.conf").write_text("", encoding="ascii")
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": CONTAINERD_SOCKET,
        "authentication": {
            "x509": {"clientCAFile": str(credentials.authority)},
            "anonymous": {"enabled": False},
        },
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{folder.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DNS_DOMAIN,
        "resolvConf": str(folder / "resolv.conf"),
        # The disk is shared with all else here; images come from no registry, so none may be dropped.
        "evictionHard": {"memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
    }
    path = _write(folder / "kubelet.json", settings)
    kubeconfig = credentials.kubeconfig(f"system:node:{NODE}")
    return [
        f"--config={path}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NODE}",
        f"--node-ip={address}",
    ]


def kube_proxy(credentials: Credentials, folder: Path) -> list[str]:
    """Services by nftables."""
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": NODE,
        "clientConnection": {"kubeconfig": str(credentials.kubeconfig("system:kube-proxy"))},
        "clusterCIDR": PODS,
        # Limits are the machine's, not the namespace's.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    return [f"--config={_write(folder / 'kube-proxy.json', settings)}"]


def containerd(folder: Path) -> list[str]:
    """The CRI plug-in; the pods' interfaces are routed, not bridged, so that every packet meets conntrack."""
    path = folder / "containerd.toml"
    path.write_text(
        f"""version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{_CNI_PLUGINS}"
conf_dir = "{folder}/cni"
""",
        encoding="utf-8",
    )
    ipam = {"type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}
    ptp = {"type": "ptp", "ipMasq": True, "ipam": ipam}
    plugins = [ptp, {"type": "portmap", "capabilities": {"portMappings": True}}]
    (folder / "cni").mkdir()
    _write(folder / "cni" / "10-pods.conflist", {"cniVersion": "0.4.0", "name": "pods", "plugins": plugins})
    return ["--config", str(path)]


def _write(path: Path, settings: dict[str, Any]) -> Path:
    path.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    return path
