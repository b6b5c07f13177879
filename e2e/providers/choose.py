"""This machine -> the provider that works here."""

from __future__ import annotations

from collections.abc import Callable

from e2e.components import packages
from e2e.components.commands import BuildError
from e2e.components.docker import Docker
from e2e.providers.cluster import Cluster
from e2e.providers.kind import KindCluster, node_image
from e2e.providers.native.node import NativeCluster


def provider() -> tuple[str, Callable[[Docker], Cluster]]:
    """`kind` where Docker has its node image; else `native`, for root on Debian; and what makes a cluster."""
    image = node_image()
    if image:
        return "kind", lambda docker: KindCluster(docker, image)
    if packages.can_install():
        return "native", NativeCluster
    raise BuildError(
        "no cluster can be started here: neither are Docker, kind and an image kindest/node here, "
        "nor is this root on Debian or Ubuntu"
    )
