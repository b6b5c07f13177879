"""`penstock history`, `diff` and `rollback`: the revisions of an API, as `kubectl rollout` has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

import click

from penstock_operator.cli.cluster_client import Cluster, cluster_command
from penstock_operator.cli.tables import print_table
from penstock_operator.history.changes import as_yaml, summary, unified_diff
from penstock_operator.history.revisions import (
    API_LABEL,
    RECORDED_AT,
    content_in,
    label_of,
    manifests_of,
    number_of,
    resources_of,
    revisions_of,
)
from penstock_operator.history.rollback import (
    LaterPlans,
    Live,
    Operation,
    RollbackError,
    choose,
    plan_rollback,
)
from penstock_operator.resources.kube import KubeObject

_DONE = {"create": "created", "replace": "rolled back", "delete": "deleted"}


@click.command()
@click.argument("api")
@cluster_command
def history(cluster: Cluster, api: str) -> None:
    """Show the revisions of an API, the newest last; * marks what is in the cluster now."""
    live, revisions = _read(cluster, api)
    rows, before = [("", "REVISION", "RECORDED", "CHANGE")], None
    for revision in revisions:
        content = content_in(revision)
        mark = "*" if content == live.content else ""
        rows.append((mark, str(number_of(revision)), _recorded(revision), summary(before, content)))
        before = content
    print_table(rows)
    if not any(mark for mark, *_ in rows):
        click.echo("what is in the cluster now is no revision: the operator has not accepted it", err=True)


@click.command()
@click.argument("api")
@click.option("--revision", type=int, help="Default: the newest that differs from what is there now.")
@click.option("--to", "to_revision", type=int, help="Default: what is there now.")
@cluster_command
def diff(cluster: Cluster, api: str, revision: int | None, to_revision: int | None) -> None:
    """Show what changed since a revision of an API and its plans, as a unified diff of YAML."""
    live, revisions = _read(cluster, api)
    older = _choose(revisions, live, revision)
    after, name = manifests_of(api, cluster.namespace, live.content), f"{api} now"
    if to_revision is not None:
        newer = _choose(revisions, live, to_revision)
        after, name = resources_of(newer), f"{api} revision {to_revision}"
    names = (f"{api} revision {number_of(older)}", name)
    click.echo(unified_diff(resources_of(older), after, names), nl=False)


@click.command()
@click.argument("api")
@click.option("--to-revision", type=int, help="Default: the newest that differs from what is there now.")
@click.option(
    "--later-plans",
    type=click.Choice(["delete", "keep"]),
    help="What becomes of plans that came later; default: deleted, unless they have subscriptions.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; tell what would be done.")
@click.option("-o", "--output", type=click.Choice(["yaml"]), help="Print the manifests of the revision.")
@cluster_command
def rollback(
    cluster: Cluster,
    api: str,
    to_revision: int | None,
    later_plans: LaterPlans | None,
    dry_run: bool,
    output: str | None,
) -> None:
    """Bring back a revision of an API and its plans, as a new generation.

    With GitOps, commit what `--dry-run -o yaml` prints: else the next synchronisation undoes the rollback.
    """
    live, revisions = _read(cluster, api, with_subscriptions=True)
    revision = _choose(revisions, live, to_revision)
    try:
        operations = plan_rollback(revision, live, later_plans)
    except RollbackError as error:
        _fail(error)
    if not dry_run:
        _write(cluster, operations)
    _tell(revision, operations, dry_run, output)


def _read(cluster: Cluster, api: str, with_subscriptions: bool = False) -> tuple[Live, list[KubeObject]]:
    resource = cluster.get("ApiDefinition", api)
    subscriptions: dict[str, tuple[str, ...]] = {}
    for subscription in cluster.all_of("Subscription") if with_subscriptions else ():
        plan = subscription["spec"]["planRef"]["name"]
        subscriptions[plan] = (*subscriptions.get(plan, ()), subscription["metadata"]["name"])
    live = Live(resource, tuple(cluster.all_of("Plan")), subscriptions)
    found = cluster.all_of("ControllerRevision", f"{API_LABEL}={label_of(api)}")
    return live, revisions_of(resource, found)


def _choose(revisions: Iterable[KubeObject], live: Live, number: int | None) -> KubeObject:
    try:
        return choose(revisions, live, number)
    except RollbackError as error:
        _fail(error)


def _fail(error: RollbackError) -> NoReturn:
    raise click.ClickException(str(error)) from error


def _write(cluster: Cluster, operations: Iterable[Operation]) -> None:
    """All writes as a dry run of the server first: what is refused is refused before the first one."""
    for dry_run in (True, False):
        for operation in operations:
            getattr(cluster, operation.action)(operation.resource, dry_run)


def _tell(revision: KubeObject, operations: tuple[Operation, ...], dry_run: bool, output: str | None) -> None:
    lines = [_line(operation) + (" (dry run)" if dry_run else "") for operation in operations]
    if output == "yaml":
        deleted = [operation for operation in operations if operation.action == "delete"]
        lines = [f"# delete: {_subject(operation)}" for operation in deleted]
    for line in lines or ([] if output else [f"nothing to do: revision {number_of(revision)} is there"]):
        click.echo(line)
    if output == "yaml":
        click.echo(as_yaml(resources_of(revision)), nl=False)


def _line(operation: Operation) -> str:
    return f"{_subject(operation)} {_DONE[operation.action]}"


def _subject(operation: Operation) -> str:
    resource = operation.resource
    return f"{resource['kind']} {resource['metadata']['namespace']}/{resource['metadata']['name']}"


def _recorded(revision: KubeObject) -> str:
    metadata = revision["metadata"]
    return str(metadata.get("annotations", {}).get(RECORDED_AT, metadata.get("creationTimestamp", "")))
