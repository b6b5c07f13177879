"""AdmissionReview (admission.k8s.io/v1) in and out, as bytes of JSON.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from penstock_operator.admission.review import Verdict
from penstock_operator.resources.problems import Problem

API_VERSION = "admission.k8s.io/v1"

_MOST_WARNINGS = 16
_LONGEST_WARNING = 256
"""Characters that the API server promises to pass on, where there are not too many warnings."""


class Request(msgspec.Struct, frozen=True, rename="camel"):
    """What is asked: may `object` be written, in place of `old_object` if that is there."""

    uid: str
    object: dict[str, Any] | None = None
    old_object: dict[str, Any] | None = None


class AdmissionReview(msgspec.Struct, frozen=True, rename="camel"):
    """The question of an API server."""

    api_version: Literal["admission.k8s.io/v1"]
    kind: Literal["AdmissionReview"]
    request: Request


_DECODER = msgspec.json.Decoder(AdmissionReview)


def decode(body: bytes) -> Request:
    """The request in a body; raises msgspec.DecodeError for anything but an AdmissionReview."""
    return _DECODER.decode(body).request


def encode(request: Request, verdict: Verdict) -> bytes:
    """The answer to a request."""
    response: dict[str, Any] = {"uid": request.uid, "allowed": not verdict.refusals}
    if verdict.refusals:
        message = "\n".join(map(_words, verdict.refusals))
        response["status"] = {"code": 422, "reason": "Invalid", "message": message}
    if verdict.warnings:
        warnings = verdict.warnings[:_MOST_WARNINGS]
        response["warnings"] = [_shortened(_words(problem)) for problem in warnings]
    answer = {"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": response}
    return msgspec.json.encode(answer)


def _words(problem: Problem) -> str:
    """As `penstock validate` prints it."""
    return f"{problem} ({problem.reason})"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_WARNING else f"{text[: _LONGEST_WARNING - 3]}..."
