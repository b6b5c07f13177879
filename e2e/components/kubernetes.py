"""Names of Kubernetes' programs -> their paths: from KUBEBUILDER_ASSETS where it is set, else built."""

from __future__ import annotations

import os
from pathlib import Path

from e2e.components.commands import BuildError
from e2e.components.go import GoModule, GoProgram, built

VERSION = "v1.37.2"

_TAKES = {
    "kube-apiserver": "about 6 minutes on 2 cores",
    "kubectl": "about 1 minute on 2 cores",
    "kube-controller-manager": "about 3 minutes on 2 cores",
    "kube-scheduler": "under a minute on 2 cores",
    "kubelet": "under a minute on 2 cores",
    "kube-proxy": "under a minute on 2 cores",
}
_IN_ASSETS = ("etcd", "kube-apiserver", "kubectl")
"""What the folder KUBEBUILDER_ASSETS holds by convention."""

_MODULE = GoModule(
    name="kubernetes",
    path="k8s.io/kubernetes",
    version=VERSION,
    go="1.26.0",
    packages=tuple(f"k8s.io/kubernetes/cmd/{name}" for name in _TAKES),
    staging=VERSION.replace("v1.", "v0."),
    # Tools parse the version that a server answers; without the flag it is none.
    ldflags=f"-s -w -X k8s.io/component-base/version.gitVersion={VERSION}",
)
_ETCD = GoProgram(
    name="etcd",
    module=GoModule(
        name="etcd",
        path="go.etcd.io/etcd/server/v3",
        version="v3.7.0",
        go="1.26.0",
        packages=("go.etcd.io/etcd/server/v3",),
    ),
    package="go.etcd.io/etcd/server/v3",
    takes="about 1 minute on 2 cores",
)


def program(name: str) -> Path:
    """The path of one of Kubernetes' programs, or of etcd."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and name in _IN_ASSETS:
        return _asset(Path(assets), name)
    return built(_ETCD if name == "etcd" else _program(name))


def _program(name: str) -> GoProgram:
    return GoProgram(name, _MODULE, f"k8s.io/kubernetes/cmd/{name}", _TAKES[name])


def _asset(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise BuildError(f"KUBEBUILDER_ASSETS names {folder}, which holds no {name}; unset it to build one")
    return path
