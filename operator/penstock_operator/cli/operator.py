"""`penstock operator`: keep a cluster's gateways what its resources say."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TypedDict, Unpack

import click

from penstock_operator.cli.gateway import own_namespace
from penstock_operator.cli.logs import log_format_option, start_logging


class _Given(TypedDict):
    """The options of the command."""

    namespace: str | None
    watch_namespace: tuple[str, ...]
    kubeconfig: Path | None
    image: str
    health: str
    leader_elect: bool
    webhook_port: int
    webhook_url: str | None
    log_format: str


@click.command()
@click.option(
    "--namespace", envvar="POD_NAMESPACE",
    help="Where the operator keeps its own objects; default: the namespace of its service account.",
)  # fmt: skip
@click.option(
    "--watch-namespace", multiple=True, envvar="PENSTOCK_WATCH_NAMESPACES",
    help="A namespace to look at, may be given again; default: all.",
)  # fmt: skip
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How to reach the API server; default: by the service account of the pod.",
)  # fmt: skip
@click.option(
    "--image", envvar="PENSTOCK_IMAGE", required=True, help="What the pods of gateways run, unless they say."
)
@click.option(
    "--health", default="0.0.0.0:8081", show_default=True,
    help="Address and port of /healthz, /readyz and /metrics.",
)  # fmt: skip
@click.option(
    "--leader-elect/--no-leader-elect", default=True, show_default=True,
    help="Whether there may be other replicas.",
)  # fmt: skip
@click.option(
    "--webhook-port", type=click.IntRange(0, 65535), default=9443, show_default=True,
    help="Where the validating webhook listens; 0: there is none.",
)  # fmt: skip
@click.option("--webhook-url", help="Where the API server finds the webhook; default: by its Service.")
@log_format_option
def operator(**given: Unpack[_Given]) -> None:
    """Keep the gateways of a cluster what its resources say."""
    # kopf and the client of Kubernetes cost a second that no other command should wait.
    from gateway_runtime.cluster.client import ClusterError  # noqa: PLC0415
    from penstock_operator.cluster.process import OperatorOptions, run_operator  # noqa: PLC0415

    start_logging(given["log_format"])
    host, _, port = given["health"].rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter("expected ADDRESS:PORT", param_hint="--health")
    options = OperatorOptions(
        namespace=given["namespace"] or own_namespace(),
        image=given["image"],
        watched=given["watch_namespace"],
        kubeconfig=given["kubeconfig"] or _from_environment(),
        host=host.strip("[]"),
        port=int(port),
        elects=given["leader_elect"],
        webhook_port=given["webhook_port"],
        webhook_url=given["webhook_url"],
    )
    try:
        asyncio.run(run_operator(options))
    except ClusterError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"cannot listen on {given['health']}: {error.strerror}") from error


def _from_environment() -> Path | None:
    """The kubeconfig that kubectl would take, outside of a pod."""
    named = os.environ.get("KUBECONFIG")
    return Path(named) if named and "KUBERNETES_SERVICE_HOST" not in os.environ else None
