"""`penstock crds`: the CustomResourceDefinitions of this version, printed, or applied to a cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import click

from penstock_operator.resources.crd import crd, crd_yaml
from penstock_operator.resources.kinds import KINDS

_PATH: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_MANAGER: Final = "penstock-crds"


@click.command()
@click.option("--apply", "applies", is_flag=True, help="Apply them to a cluster, in place of printing.")
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False, path_type=Path), envvar="KUBECONFIG",
    help="How to reach the API server; default: by the service account of the pod.",
)  # fmt: skip
def crds(applies: bool, kubeconfig: Path | None) -> None:
    """Print the CustomResourceDefinitions of this version, or bring those of a cluster up to date."""
    # The client of Kubernetes costs time that printing need not wait for.
    from gateway_runtime.cluster.client import ClusterError  # noqa: PLC0415

    if not applies:
        click.echo("---\n".join(crd_yaml(model) for model in KINDS.values()), nl=False)
        return
    try:
        asyncio.run(_apply(kubeconfig))
    except ClusterError as error:
        raise click.ClickException(str(error)) from error


async def _apply(kubeconfig: Path | None) -> None:
    from gateway_runtime.cluster.client import connect  # noqa: PLC0415

    async with connect(kubeconfig) as client:
        for model in KINDS.values():
            wanted = crd(model)
            name = wanted["metadata"]["name"]
            await client.apply(f"{_PATH}/{name}", wanted, _MANAGER)
            click.echo(f"applied {name}")
