"""Names of a gateway's objects are legal and its own; what is not a gateway's is told apart."""

import re
from typing import Any

import pytest
from deployments import CONTEXT, gateway
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.deploy.build import gateway_objects
from penstock_operator.deploy.identity import instance, is_of
from penstock_operator.deploy.rights import secret_rights

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", fullmatch=True)


@given(NAMES)
def test_any_name_gives_a_dns_label_with_room_for_suffixes(name: str) -> None:
    made = instance(gateway(name))

    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", made)
    assert len(made) <= 40


def test_a_short_name_is_kept() -> None:
    assert instance(gateway("edge-2")) == "edge-2"


def test_long_names_with_one_beginning_stay_apart() -> None:
    assert instance(gateway("x" * 60)) != instance(gateway("x" * 61))
    assert instance(gateway("a.b")) != instance(gateway("a-b"))


def made(namespace: str = "gateways", **metadata: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "penstock", "penstock.dev/gateway": "edge"}
    return {"metadata": {"name": "edge", "namespace": namespace, "labels": labels, **metadata}}


def test_all_objects_of_a_gateway_are_its_own() -> None:
    edge = gateway(autoscaling={"maxReplicas": 3})
    objects = (*gateway_objects(edge, CONTEXT), *secret_rights(edge, [("gateways", "a"), ("shop", "b")]))

    assert all(is_of(edge, one) for one in objects)
    assert not any(is_of(gateway("other"), one) for one in objects)


def test_an_object_that_lost_its_labels_is_known_by_its_owner() -> None:
    edge = gateway()
    for one in gateway_objects(edge, CONTEXT):
        assert is_of(edge, {**one, "metadata": {**one["metadata"], "labels": {}}})


@pytest.mark.parametrize(
    "observed",
    [
        {"metadata": {"name": "edge"}},
        made(labels={"penstock.dev/gateway": "edge"}),
        made(),
        made(ownerReferences=[{"uid": "another", "controller": True}]),
        made(ownerReferences=[{"uid": "uid-of-edge"}]),
        made(
            labels={
                "app.kubernetes.io/managed-by": "penstock",
                "penstock.dev/gateway": "edge",
                "penstock.dev/gateway-namespace": "other",
            }
        ),
    ],
)
def test_an_object_that_the_operator_did_not_make_is_not_the_gateways(observed: dict[str, Any]) -> None:
    assert not is_of(gateway(), observed)
