"""AdmissionReview in and out."""

import json
from typing import Any

import msgspec
import pytest

from penstock_operator.admission.review import Verdict
from penstock_operator.admission.wire import Request, decode, encode
from penstock_operator.resources.problems import Problem

ASKED = Request("u1")


def response(verdict: Verdict) -> dict[str, Any]:
    answer = json.loads(encode(ASKED, verdict))
    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    return answer["response"]


def test_reads_what_is_asked_and_leaves_the_rest() -> None:
    request = {"uid": "u", "operation": "UPDATE", "object": {"a": 1}, "oldObject": {"a": 0}, "userInfo": {}}
    body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    asked = decode(json.dumps(body).encode())
    assert (asked.uid, asked.object, asked.old_object) == ("u", {"a": 1}, {"a": 0})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview", "request": {"uid": "u"}}',
    ],
    ids=["empty", "a list", "another version"],
)
def test_refuses_what_is_no_admission_review(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(body)


def test_an_empty_verdict_lets_through() -> None:
    assert response(Verdict()) == {"uid": "u1", "allowed": True}


def test_a_refusal_has_all_reasons_in_one_message() -> None:
    problems = (Problem("Error", "A", "first", "Plan x/y", "spec.z"), Problem("Error", "B", "second"))
    found = response(Verdict(problems))
    assert found["allowed"] is False
    assert found["status"]["message"] == "error: Plan x/y spec.z: first (A)\nerror: second (B)"


def test_warnings_are_bounded_in_number_and_length() -> None:
    warnings = response(Verdict(warnings=(Problem("Warning", "A", "x" * 5000),) * 100))["warnings"]
    assert len(warnings) == 16
    assert {len(warning) for warning in warnings} == {256}
