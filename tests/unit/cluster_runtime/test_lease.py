"""What a pod serves to the Lease that says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from gateway_runtime.cluster.lease import Pod, Served, errors_text, lease

NOW = datetime(2026, 11, 24, 19, 2, 27, 12, tzinfo=UTC)


def test_the_lease_of_a_pod() -> None:
    served = Served(1234, {"shop/orders": "it is broken"})
    assert lease(Pod("edge", "gateways", "edge-0", uid="u-1"), served, NOW) == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "edge-0",
            "namespace": "gateways",
            "labels": {"penstock.dev/gateway": "edge", "app.kubernetes.io/managed-by": "penstock"},
            "annotations": {
                "penstock.dev/resource-version": "1234",
                "penstock.dev/errors": '{"shop/orders": "it is broken"}',
            },
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "edge-0", "uid": "u-1"}],
        },
        "spec": {
            "holderIdentity": "edge-0",
            "leaseDurationSeconds": 30,
            "renewTime": "2026-11-24T19:02:27.000012Z",
        },
    }


def test_nobody_owns_the_lease_of_a_pod_without_a_uid() -> None:
    made = lease(Pod("edge", "gateways", "edge-0"), Served(1, {}), NOW)
    assert "ownerReferences" not in made["metadata"]


def test_many_errors_are_cut_and_counted() -> None:
    text = errors_text({f"shop/api-{number:03}": "broken" for number in range(200)})
    found = json.loads(text)
    assert len(found) == 50
    assert found[""] == "151 more errors"
    assert found["shop/api-000"] == "broken"


def test_long_errors_stay_within_the_bound() -> None:
    errors = {f"shop/{'n' * 60}-{number}": "漢" * 5000 for number in range(60)}
    errors[""] = "the gateway's own " * 100
    text = errors_text(errors)
    assert len(text.encode()) <= 16 << 10
    found = json.loads(text)
    assert found[""].startswith("the gateway's own")
    assert found[""].endswith("more errors")
    assert len(found[""]) <= 300


def test_no_errors_are_an_empty_object() -> None:
    assert errors_text({}) == "{}"
