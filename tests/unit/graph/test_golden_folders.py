"""Golden folders: manifests in, snapshots, conditions and problems out."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gateway_runtime.snapshot.types import Snapshot
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.conditions import conditions_of
from penstock_operator.graph.types import Graph
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.standalone.folder import Folder
from penstock_operator.standalone.gateway import with_gateway

GOLDEN = Path(__file__).parents[2] / "golden"
SITUATIONS = sorted(path.name for path in GOLDEN.iterdir())
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_folder_gives_its_golden_output(situation: str, rewrite: bool) -> None:
    folder = Folder(GOLDEN / situation / "in")
    folder.scan()
    graph = build_graph(with_gateway(folder.resources()), now=NOW, broken=folder.broken())
    found = output(folder, graph)
    golden = GOLDEN / situation / "out.yaml"
    if rewrite:
        golden.write_text(yaml.safe_dump(found, sort_keys=False, width=108))
    assert found == yaml.safe_load(golden.read_text())


def test_no_golden_output_holds_a_secret_value() -> None:
    assert not [path for path in GOLDEN.glob("*/out.yaml") if "must-not-appear" in path.read_text()]


def output(folder: Folder, graph: Graph) -> dict[str, Any]:
    snapshots = {key: served(snapshot) for key, snapshot in sorted(build_snapshots(graph).items())}
    conditions = {
        str(report.id): [asdict(condition) for condition in conditions_of(report)] for report in graph.reports
    }
    problems = [asdict(problem) for problem in (*folder.problems(), *graph.problems)]
    found = {"snapshots": snapshots, "conditions": conditions, "problems": problems}
    text = msgspec.json.encode(found).decode().replace(f"{folder.path}/", "")
    return msgspec.json.decode(text)  # type: ignore[no-any-return]


def served(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "gateway": msgspec.to_builtins(snapshot.gateway),
        "apis": {key: msgspec.to_builtins(entry.section) for key, entry in sorted(snapshot.apis.items())},
        "subscriptions": {
            key: msgspec.to_builtins(entry.section) for key, entry in sorted(snapshot.subscriptions.items())
        },
    }
