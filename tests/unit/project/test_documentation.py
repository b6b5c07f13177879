"""The documents say what the code does: manifests in them are valid, lists in them are complete."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway_runtime.counters.local import LocalCounter
from gateway_runtime.errors import ERRORS
from gateway_runtime.policies.registry import built_in_policies, plug_in_policies
from gateway_runtime.program.compile import Surroundings
from gateway_runtime.program.program import compile_program
from gateway_runtime.security.jwks import KeySets
from gateway_runtime.stats import WorkerStats
from penstock_operator.graph.build import build_graph
from penstock_operator.manifests.reader import Manifest, read_folder, read_text
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.standalone.gateway import DEFAULT_GATEWAY

ROOT = Path(__file__).resolve().parents[3]
GUIDES = ROOT / "docs" / "guide"
PAGES = [ROOT / "README.md", *sorted(GUIDES.glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def yaml_manifests(page: Path) -> list[Manifest]:
    """The manifests in a page's YAML blocks; fragments of resources are left out."""
    found: list[Manifest] = []
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "yaml" and "apiVersion:" in text:
            for document in read_text(text, page.name):
                assert isinstance(document, Manifest), document
                found.append(document)
    return found


def test_the_quick_start_has_only_valid_resources() -> None:
    documents = [item for items in read_folder(ROOT / "examples" / "quickstart").values() for item in items]
    outcomes = [parse(item) if isinstance(item, Manifest) else item for item in documents]
    assert len(outcomes) >= 7
    assert [outcome for outcome in outcomes if not isinstance(outcome, Parsed)] == []


def test_manifests_in_the_documents_are_valid() -> None:
    outcomes = [parse(manifest) for page in PAGES for manifest in yaml_manifests(page)]
    assert len(outcomes) >= 5
    assert [outcome for outcome in outcomes if not isinstance(outcome, Parsed)] == []


def test_every_error_key_is_in_the_guide() -> None:
    text = (GUIDES / "http-apis.md").read_text(encoding="utf-8")
    assert [key for key in ERRORS if f"`{key}`" not in text] == []


def test_every_policy_is_in_the_guide_and_no_other() -> None:
    text = (GUIDES / "policies.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \| (yes)? ?\| (yes)? ?\|", text, re.MULTILINE)
    documented = {name: (bool(request), bool(response)) for name, request, response in table}
    assert documented == {
        name: (policy.request is not None, policy.response is not None)
        for name, policy in built_in_policies().items()
        if name not in of_kafka()
    }


def of_kafka() -> set[str]:
    """The policies that have phases of Kafka APIs alone."""
    return {name for name, one in built_in_policies().items() if one.request is one.response is None}


def test_every_policy_of_kafka_apis_is_in_their_guide_with_its_phases() -> None:
    text = (GUIDES / "kafka.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    documented = {(phase, name) for phase, cell in rows for name in re.findall(r"`(\w+)`", cell)}
    phases = ("connect", "interact", "publish", "subscribe")
    assert {one for one in documented if one[0] in phases} == {
        (phase, name)
        for name, policy in built_in_policies().items()
        for phase in phases
        if getattr(policy, phase) is not None
    }


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "docs" / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda p: p.name
)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def api_with(fields: dict[str, Any]) -> Manifest:
    """An API whose specification has these fields."""
    groups = [
        {"name": name, "endpoints": [{"name": "main", "url": f"http://{name}"}]}
        for name in ("default", "beta")
    ]
    spec = {"listeners": [{"http": {"path": "/a"}}], "endpointGroups": groups, **fields}
    data = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "ApiDefinition",
        "metadata": {"name": "a"},
        "spec": spec,
    }
    return Manifest("a.yaml", 0, 1, data)


def api_fragments() -> list[dict[str, Any]]:
    """The YAML blocks of the guide that are fields of an API."""
    texts = [
        text for page in PAGES for name, text in BLOCK.findall(page.read_text("utf-8")) if name == "yaml"
    ]
    blocks = [yaml.safe_load(text) for text in texts if "apiVersion:" not in text]
    return [block for block in blocks if block.keys() & {"flows", "responseTemplates"}]


@pytest.fixture
def teapot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plug-in of the guide, installed."""
    blocks = dict(BLOCK.findall((GUIDES / "policies.md").read_text("utf-8")))
    group = tomllib.loads(blocks["toml"])["project"]["entry-points"]["penstock.policies"]
    module = group["teapot"].partition(":")[0]
    (tmp_path / f"{module}.py").write_text(blocks["python"])
    information = tmp_path / "teapot-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: teapot\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[penstock.policies]\nteapot = {group['teapot']}\n")
    monkeypatch.syspath_prepend(tmp_path)
    plug_in_policies.cache_clear()
    yield
    plug_in_policies.cache_clear()
    sys.modules.pop(module, None)


@pytest.mark.usefixtures("teapot")
def test_fragments_of_apis_in_the_guide_run() -> None:
    fragments = api_fragments()
    assert len(fragments) >= 4
    used = set()
    for fragment in fragments:
        parsed = parse(api_with(fragment))
        assert isinstance(parsed, Parsed), parsed
        graph = build_graph([parsed, DEFAULT_GATEWAY])
        assert [problem for problem in graph.problems if problem.severity == "Error"] == []
        snapshot = build_snapshots(graph)["default/default"]
        program = compile_program(snapshot, Surroundings(LocalCounter(), WorkerStats().api, KeySets().source))
        assert program.errors(program.apis) == {}
        flows = snapshot.apis["default/a"].section.flows
        used |= {step.policy for flow in flows for step in (*flow.request, *flow.response)}
    assert used == {*built_in_policies(), "teapot"} - of_kafka()
