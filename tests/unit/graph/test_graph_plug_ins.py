"""Steps of plug-in policies are checked against the model of the installed plug-in."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_runtime.policies.registry import plug_in_policies
from penstock_operator.graph.build import build_graph
from penstock_operator.graph.types import Graph
from penstock_operator.manifests.reader import Manifest
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.resources.parse import Parsed, parse
from penstock_operator.standalone.gateway import DEFAULT_GATEWAY

MODULE = """
from gateway_runtime.policies.base import PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import Template

class Watermark(PolicyConfiguration):
    text: Template
    size: int = 1

POLICY = PolicyType("watermark", Watermark, request=lambda configuration, environment: lambda exchange: None)
"""


@pytest.fixture(autouse=True)
def _installed_plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "watermark_plug_in.py").write_text(MODULE)
    information = tmp_path / "watermark-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: watermark\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[penstock.policies]\nwatermark = watermark_plug_in:POLICY\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    plug_in_policies.cache_clear()
    yield
    plug_in_policies.cache_clear()
    sys.modules.pop("watermark_plug_in", None)


def graph_with(step: dict[str, Any], phase: str = "request") -> Graph:
    spec = {
        "listeners": [{"http": {"path": "/a"}}],
        "endpointGroups": [{"name": "default", "endpoints": [{"name": "main", "url": "http://a"}]}],
        "flows": [{phase: [{"custom": step}]}],
    }
    data = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "ApiDefinition",
        "metadata": {"name": "a"},
        "spec": spec,
    }
    parsed = parse(Manifest("a.yaml", 0, 1, data))
    assert isinstance(parsed, Parsed)
    return build_graph([parsed, DEFAULT_GATEWAY])


def errors(graph: Graph) -> list[tuple[str, str]]:
    return [(one.reason, one.field) for one in graph.problems if one.severity == "Error"]


def test_a_valid_step_is_published_as_it_was_written() -> None:
    graph = graph_with({"name": "watermark", "configuration": {"text": "{#request.path}"}})
    assert errors(graph) == []
    step = build_snapshots(graph)["default/default"].apis["default/a"].section.flows[0].request[0]
    assert (step.policy, step.configuration) == ("watermark", {"text": "{#request.path}"})


def test_an_invalid_configuration_names_the_field() -> None:
    place = "spec.flows[0].request[0].custom.configuration"
    graph = graph_with({"name": "watermark", "configuration": {"text": "x", "size": "big"}})
    assert errors(graph) == [("InvalidConfiguration", f"{place}.size")]
    graph = graph_with({"name": "watermark", "configuration": {"text": "x", "siez": 1}})
    assert errors(graph) == [("InvalidConfiguration", f"{place}.siez")]


def test_a_policy_without_the_phase_is_an_error() -> None:
    graph = graph_with({"name": "watermark", "configuration": {"text": "x"}}, phase="response")
    assert errors(graph) == [("UnknownPolicy", "spec.flows[0].response[0].custom.name")]


def test_a_misspelt_policy_gets_the_nearest_name() -> None:
    graph = graph_with({"name": "watermarc"})
    assert "did you mean `watermark`?" in graph.problems[0].message
