"""An object is applied again where something that was wanted of it is gone or other, and only there."""

import copy
from typing import Any

import pytest
from deployments import CONTEXT, gateway

from penstock_operator.deploy.build import gateway_objects
from penstock_operator.deploy.differences import covers

OBJECTS = {
    one["kind"]: one
    for one in gateway_objects(gateway(networkPolicy={"adminFrom": [{"podSelector": {}}]}), CONTEXT)
}


def changed(kind: str, *path: str | int, value: Any = None) -> dict[str, Any]:
    """A copy with one field set, or without it."""
    found = copy.deepcopy(OBJECTS[kind])
    place: Any = found
    for part in path[:-1]:
        place = place[part]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return found


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_object_covers_itself(kind: str) -> None:
    assert covers(OBJECTS[kind], copy.deepcopy(OBJECTS[kind]))


CONTAINER = ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(
    "observed",
    [
        changed("Deployment", "spec", "replicas", value=3),
        changed("Deployment", "spec", "replicas"),
        changed("Deployment", "metadata", "labels", "penstock.dev/gateway"),
        changed("Deployment", "metadata", "ownerReferences"),
        changed("Deployment", "spec", "template", "spec", "containers", value=[]),
        changed("Deployment", *CONTAINER, "image", value="mine:1"),
        changed("Deployment", *CONTAINER, "args", 1, value="--name=other"),
        changed("Deployment", *CONTAINER, "env", 0),
        changed("Deployment", *CONTAINER, "resources", "requests", "cpu", value="251m"),
        changed("Deployment", *CONTAINER, "securityContext", "capabilities", "drop", value=["ALL", "CHOWN"]),
        changed("Service", "spec", "selector", "mine", value="too"),
        changed("Service", "spec", "ports", 0, "targetPort", value=1),
        changed("Role", "rules", 0, "verbs", value=["get", "list", "watch", "delete"]),
        changed("RoleBinding", "subjects", 0, "name", value="other"),
        changed("NetworkPolicy", "spec", "ingress", 0, "ports", 0, "endPort", value=65535),
        changed("NetworkPolicy", "spec", "ingress", 1, "from"),
        changed("NetworkPolicy", "spec", "podSelector", value={}),
    ],
)
def test_an_object_that_was_changed_by_hand_is_not_covered(observed: dict[str, Any]) -> None:
    assert not covers(OBJECTS[observed["kind"]], observed)


@pytest.mark.parametrize(
    "observed",
    [
        changed("Deployment", *CONTAINER, "resources", "requests", "cpu", value="0.25"),
        changed("Deployment", *CONTAINER, "terminationMessagePath", value="/dev/termination-log"),
        changed("Deployment", "metadata", "labels", "of-somebody-else", value="x"),
        changed("Deployment", "status", value={"replicas": 2}),
        changed("Service", "spec", "clusterIP", value="10.0.0.1"),
        changed("Service", "spec", "ports", 0, "nodePort", value=30080),
    ],
)
def test_what_the_server_or_others_add_is_left_alone(observed: dict[str, Any]) -> None:
    assert covers(OBJECTS[observed["kind"]], observed)


def test_items_are_found_by_their_keys_in_any_order() -> None:
    observed = copy.deepcopy(OBJECTS["Deployment"])
    container = observed["spec"]["template"]["spec"]["containers"][0]
    container["env"].reverse()
    observed["spec"]["template"]["spec"]["containers"].insert(0, {"name": "injected"})

    assert covers(OBJECTS["Deployment"], observed)


def test_a_field_that_is_no_longer_wanted_is_taken_away() -> None:
    annotated = gateway(service={"annotations": {"a": "b"}})
    before = next(one for one in gateway_objects(annotated, CONTEXT) if one["kind"] == "Service")

    assert not covers(OBJECTS["Service"], before)
