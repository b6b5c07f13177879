"""`penstock subscriptions`: who may use which plan; approves, rejects and rotates keys by annotations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from penstock_operator.cli.cluster_client import Cluster, cluster_command
from penstock_operator.cli.tables import print_table
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.subscription import APPROVAL, ROTATE_KEY


@click.group()
def subscriptions() -> None:
    """Applications' rights to plans."""


@subscriptions.command("list")
@cluster_command
def list_subscriptions(cluster: Cluster) -> None:
    """Show the subscriptions of a namespace."""
    found = sorted(cluster.all_of("Subscription"), key=lambda one: str(one["metadata"]["name"]))
    if not found:
        click.echo(f"there are no subscriptions in the namespace {cluster.namespace}", err=True)
        return
    heading = ("NAME", "PLAN", "APPLICATION", "STATE", "APPROVAL", "ACCEPTED", "ENDS")
    print_table([heading, *map(_row, found)])


@subscriptions.command()
@click.argument("name")
@cluster_command
def approve(cluster: Cluster, name: str) -> None:
    """Let the clients of a subscription in, where its plan asks for approval."""
    cluster.annotate("Subscription", name, {APPROVAL: "Approved"})
    click.echo(f"Subscription {cluster.namespace}/{name} approved")


@subscriptions.command()
@click.argument("name")
@cluster_command
def reject(cluster: Cluster, name: str) -> None:
    """Refuse the clients of a subscription, where its plan asks for approval."""
    cluster.annotate("Subscription", name, {APPROVAL: "Rejected"})
    click.echo(f"Subscription {cluster.namespace}/{name} rejected")


@subscriptions.command()
@click.argument("name")
@cluster_command
def rotate(cluster: Cluster, name: str) -> None:
    """Have the operator make a new API key; the old one is good for a while longer."""
    subscription = cluster.get("Subscription", name)
    if subscription["spec"].get("apiKey"):
        message = f"the key of {name} is in a Secret of yours (spec.apiKey.secretRef): change it there"
        raise click.ClickException(message)
    cluster.annotate("Subscription", name, {ROTATE_KEY: datetime.now(UTC).isoformat(timespec="seconds")})
    click.echo(f"Subscription {cluster.namespace}/{name}: a new key is asked for")


def _row(subscription: KubeObject) -> tuple[str, ...]:
    spec, metadata = subscription["spec"], subscription["metadata"]
    return (
        metadata["name"],
        spec["planRef"]["name"],
        spec["application"]["name"],
        spec.get("state", "Active"),
        metadata.get("annotations", {}).get(APPROVAL, "-"),
        _accepted(subscription.get("status", {})),
        spec.get("endsAt", "-"),
    )


def _accepted(status: dict[str, Any]) -> str:
    """`True`, or why not."""
    for condition in status.get("conditions", ()):
        if condition["type"] == "Accepted":
            return "True" if condition["status"] == "True" else str(condition["reason"])
    return "-"
