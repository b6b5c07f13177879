"""The API server refuses what a Kafka API or listener cannot have, in the words of `penstock validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.components.control_plane import ControlPlane

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
SITUATIONS = ("fields-that-do-not-go-with-the-type-of-an-api", "listeners-that-do-not-fit-kafka")
FLOWS_MESSAGE = "flows of type: Kafka have no request, response, path and methods"


def documents(situation: str) -> dict[str, dict[str, Any]]:
    texts = [path.read_text() for path in sorted((GOLDEN / situation / "in").glob("*.yaml"))]
    found = [document for text in texts for document in yaml.safe_load_all(text)]
    return {document["metadata"]["name"]: document for document in found}


def refused() -> list[Any]:
    """What the models refuse, with the words that both have: patterns have others in Kubernetes."""
    found = []
    for situation in SITUATIONS:
        manifests = documents(situation)
        for problem in yaml.safe_load((GOLDEN / situation / "out.yaml").read_text())["problems"]:
            if problem["reason"] == "InvalidValue":
                name = problem["resource"].rpartition("/")[2]
                message = problem["message"].partition(", found")[0]
                if "does not match" in message:
                    message = "in body should match"
                found.append(pytest.param(manifests[name], message, id=name))
    return found


def answer(plane: ControlPlane, namespace: str, document: dict[str, Any]) -> str:
    options = ("--server-side", "--dry-run=server", "--namespace", namespace, "-f", "-")
    metadata = {**document["metadata"], "namespace": namespace}
    text = yaml.safe_dump({**document, "metadata": metadata})
    try:
        return plane.kubectl_output("apply", *options, input=text)
    except RuntimeError as error:
        return str(error)


@pytest.mark.parametrize(("document", "message"), refused())
def test_the_api_server_refuses_it_in_the_same_words(
    control_plane: ControlPlane, namespace: str, document: dict[str, Any], message: str
) -> None:
    assert message in answer(control_plane, namespace, document)


@pytest.mark.parametrize("name", ["events", "web"])
def test_the_api_server_refuses_flows_of_the_other_type(
    control_plane: ControlPlane, namespace: str, name: str
) -> None:
    document = documents("flows-and-plans-of-the-other-type")[name]
    assert FLOWS_MESSAGE in answer(control_plane, namespace, document)


@pytest.mark.parametrize("kind", ["ApiDefinition", "GatewayDeployment", "Plan"])
def test_the_api_server_takes_every_field_of_a_kafka_api(
    control_plane: ControlPlane, namespace: str, kind: str
) -> None:
    found = [
        one for one in documents("every-field-of-a-kafka-api-is-published").values() if one["kind"] == kind
    ]
    assert found
    for document in found:
        assert "serverside-applied" in answer(control_plane, namespace, document)
