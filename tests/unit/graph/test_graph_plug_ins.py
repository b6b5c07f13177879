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
from penstock_operator.resources.flows import KAFKA_PHASES, PHASES
from penstock_operator.resources.parse import Parsed, parse

BY_PORT = {"type": "Port", "range": "9100-9120", "host": "localhost"}
GATEWAY = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "GatewayDeployment",
    "metadata": {"name": "default"},
    "spec": {
        "listeners": [
            {"name": "http", "port": 8080},
            {"name": "kafka", "protocol": "Kafka", "routing": BY_PORT},
        ]
    },
}

MODULE = """
from gateway_runtime.policies.base import PolicyConfiguration, PolicyType
from gateway_runtime.policies.fields import Template

class Watermark(PolicyConfiguration):
    text: Template
    size: int = 1

def compile(configuration, environment):
    return lambda *arguments: None

POLICY = PolicyType("watermark", Watermark, request=compile, connect=compile, interact=compile)
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
    spec: dict[str, Any] = {
        "listeners": [{"http": {"path": "/a"}}],
        "endpointGroups": [{"name": "default", "endpoints": [{"name": "main", "url": "http://a"}]}],
        "flows": [{phase: [{"custom": step}]}],
    }
    if phase in KAFKA_PHASES:
        endpoint = {"name": "main", "kafka": {"bootstrapServers": ["kafka:9092"]}}
        spec |= {"type": "Kafka", "listeners": [{"kafka": {"port": 9100}}]}
        spec["endpointGroups"] = [{"name": "default", "endpoints": [endpoint]}]
    data = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "ApiDefinition",
        "metadata": {"name": "a"},
        "spec": spec,
    }
    parsed = parse(Manifest("a.yaml", 0, 1, data))
    gateway = parse(Manifest("a.yaml", 0, 1, GATEWAY))
    assert isinstance(parsed, Parsed)
    assert isinstance(gateway, Parsed)
    return build_graph([parsed, gateway])


def errors(graph: Graph) -> list[tuple[str, str]]:
    return [(one.reason, one.field) for one in graph.problems if one.severity == "Error"]


def test_a_valid_step_is_published_as_it_was_written() -> None:
    graph = graph_with({"name": "watermark", "configuration": {"text": "{#request.path}"}})
    assert errors(graph) == []
    step = build_snapshots(graph)["default/default"].apis["default/a"].section.flows[0].request[0]
    assert (step.policy, step.configuration) == ("watermark", {"text": "{#request.path}"})


@pytest.mark.parametrize("phase", ["connect", "interact"])
def test_a_step_of_a_kafka_api_is_published_in_its_phase(phase: str) -> None:
    graph = graph_with({"name": "watermark", "configuration": {"text": "a"}}, phase)
    assert errors(graph) == []
    (flow,) = build_snapshots(graph)["default/default"].apis["default/a"].section.flows
    steps = {one: [step.policy for step in getattr(flow, one)] for one in PHASES if getattr(flow, one)}
    assert steps == {phase: ["watermark"]}


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
