"""`penstock cleanup`: delete what an operator that is gone left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from penstock_operator.cli.gateway import own_namespace


@click.command()
@click.option(
    "--namespace", envvar="POD_NAMESPACE",
    help="Where the operator kept its own objects; default: the namespace of the pod that this runs in.",
)  # fmt: skip
@click.option(
    "--watch-namespace", multiple=True, envvar="PENSTOCK_WATCH_NAMESPACES",
    help="A namespace that the operator looked at, may be given again; default: all.",
)  # fmt: skip
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False, path_type=Path), envvar="KUBECONFIG",
    help="How to reach the API server; default: by the service account of the pod.",
)  # fmt: skip
def cleanup(namespace: str | None, watch_namespace: tuple[str, ...], kubeconfig: Path | None) -> None:
    """Delete what an operator that is gone left: its own objects, and rights of gateways that are gone."""
    # The client of Kubernetes costs time that the help need not wait for.
    from gateway_runtime.cluster.client import ClusterError  # noqa: PLC0415

    try:
        asyncio.run(_clean_up(namespace or own_namespace(), watch_namespace, kubeconfig))
    except ClusterError as error:
        raise click.ClickException(str(error)) from error


async def _clean_up(namespace: str, watched: tuple[str, ...], kubeconfig: Path | None) -> None:
    from gateway_runtime.cluster.client import connect  # noqa: PLC0415
    from penstock_operator.cluster.cleanup import clean_up  # noqa: PLC0415

    async with connect(kubeconfig) as client:
        async for key in clean_up(client, namespace, watched):
            click.echo(f"gone: {key}")
