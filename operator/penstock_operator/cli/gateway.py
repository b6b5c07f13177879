"""`penstock gateway`: serve what a cluster publishes for one gateway; the command of its pods."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click

from gateway_runtime.cluster.client import ClusterError
from gateway_runtime.cluster.lease import Pod
from gateway_runtime.cluster.pod import run_pod
from gateway_runtime.processes.memory import seal_memory, tell_of_memory
from gateway_runtime.processes.supervisor import Options
from gateway_runtime.secrets.registry import TOKENS
from penstock_operator.cli.logs import log_format_option, start_logging

_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class _Given(TypedDict):
    """The options of the command."""

    name: str
    namespace: str | None
    pod_name: str
    pod_uid: str
    zone: str
    kubeconfig: Path | None
    tokens: Path
    workers: int | None
    admin: str
    drain_delay: float
    log_format: str


@click.command()
@click.option("--name", required=True, help="The GatewayDeployment to serve.")
@click.option(
    "--namespace", envvar="POD_NAMESPACE", help="Where it is; default: the namespace of the service account."
)
@click.option(
    "--pod-name", envvar="POD_NAME", default=socket.gethostname,
    help="The name of the pod and of its Lease; default: the host's name.",
)  # fmt: skip
@click.option("--pod-uid", envvar="POD_UID", default="", help="The pod's uid, for the owner of its Lease.")
@click.option(
    "--zone", envvar="PENSTOCK_ZONE", default="",
    help="The zone of the pod's node, for Services that keep their traffic within a zone.",
)  # fmt: skip
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How to reach the API server; default: by the service account of the pod.",
)  # fmt: skip
@click.option(
    "--tokens", type=click.Path(file_okay=False, path_type=Path), default=TOKENS, show_default=True,
    help="The folder of the pod's service account tokens, by which secret providers log in.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes; default: one a CPU.")
@click.option(
    "--admin", default="0.0.0.0:9900", show_default=True, help="Address and port of the admin server."
)
@click.option(
    "--drain-delay", default=0.0, show_default=True, help="Seconds from failing readiness to draining."
)
@log_format_option
def gateway(**given: Unpack[_Given]) -> None:
    """Serve what the operator publishes for a GatewayDeployment, and follow its changes."""
    start_logging(given["log_format"])
    tell_of_memory(seal_memory())
    host, _, port = given["admin"].rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter("expected ADDRESS:PORT", param_hint="--admin")
    namespace = given["namespace"] or own_namespace()
    pod = Pod(given["name"], namespace, given["pod_name"], given["pod_uid"], given["zone"])
    count = given["workers"] or len(os.sched_getaffinity(0))
    options = Options(count, host.strip("[]"), int(port), given["drain_delay"])
    try:
        sys.exit(asyncio.run(run_pod(pod, options, given["kubeconfig"], given["tokens"])))
    except ClusterError as error:
        raise click.ClickException(str(error)) from error


def own_namespace() -> str:
    """The namespace of the pod that this runs in. Raises UsageError outside of one."""
    try:
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise click.UsageError("outside of a pod, --namespace is needed") from error
