"""`penstock routes`: prints what is served where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import msgspec

from gateway_runtime.snapshot.types import ApiSection, Snapshot
from penstock_operator.cli.tables import print_table
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.kafka_routes import address_of
from penstock_operator.graph.types import GatewayNode
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.standalone.folder import Folder
from penstock_operator.standalone.gateway import with_gateway


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One route of one gateway; one of a Kafka API has its address as host, and no path."""

    host: str
    path: str
    api: str
    plans: tuple[str, ...]
    endpoints: tuple[str, ...]
    gateway: str


@click.command()
@click.option(
    "-f",
    "--folder",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="A folder of manifests, or one file.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def routes(folder: Path, output: str) -> None:
    """Show which API is served at which host and path, Kafka APIs at which bootstrap address."""
    rows, errors = find_routes(folder)
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([asdict(row) for row in rows])))
    else:
        _print_table(rows)
    if errors:
        click.echo(f"errors: {errors}; penstock validate -f {folder} shows them", err=True)


def find_routes(path: Path) -> tuple[list[Row], int]:
    """The routes of the manifests at a path, sorted, and the number of errors in them."""
    folder = Folder(path)
    folder.scan()
    graph = build_graph(with_gateway(folder.resources()))
    snapshots = build_snapshots(graph)
    rows = sorted(
        row
        for key, snapshot in snapshots.items()
        for row in (*_rows(key, snapshot), *_kafka_rows(graph.gateways[key], snapshot))
    )
    problems = (*folder.problems(), *graph.problems)
    return rows, sum(problem.severity == "Error" for problem in problems)


def _rows(gateway: str, snapshot: Snapshot) -> Iterator[Row]:
    for key, entry in snapshot.apis.items():
        for route in entry.section.routes:
            for host in route.hosts or ("*",):
                yield Row(host, route.path, key, _plans(entry.section), _endpoints(entry.section), gateway)


def _kafka_rows(gateway: GatewayNode, snapshot: Snapshot) -> Iterator[Row]:
    """The bootstrap addresses of Kafka APIs, which have no path."""
    for key, node in gateway.apis.items():
        section, address = snapshot.apis[key].section, address_of(node.api)
        if address is None or section.kafka is None:
            continue
        for listener in gateway.gateway.spec.listeners:
            bootstrap = address.bootstrap(listener)
            if bootstrap is not None:
                servers = section.kafka.cluster.bootstrap_servers
                yield Row(f"kafka://{bootstrap}", "", key, _plans(section), servers, gateway.gateway.key)


def _plans(section: ApiSection) -> tuple[str, ...]:
    return tuple(f"{plan.name} ({plan.security.__struct_config__.tag})" for plan in section.plans)


def _endpoints(section: ApiSection) -> tuple[str, ...]:
    return tuple(endpoint.url for group in section.endpoint_groups for endpoint in group.endpoints)


def _print_table(rows: list[Row]) -> None:
    lines = [("HOST", "PATH", "API", "PLANS", "ENDPOINTS", "GATEWAY")]
    lines += [
        (row.host, row.path, row.api, ", ".join(row.plans) or "none", ", ".join(row.endpoints), row.gateway)
        for row in rows
    ]
    print_table(lines)
