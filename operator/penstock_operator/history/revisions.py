"""Turns an accepted API with its plans into a ControllerRevision, and a revision back into manifests.

As Deployments do it: the same content has the same name, so to come back to an old state raises the number
of its revision and writes no second one. Specs are kept as they are stored; values of Secrets are in none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.meta import API_VERSION

API_LABEL = "penstock.dev/api"
RECORDED_AT = "penstock.dev/recorded-at"
"""When the revision became the current one: its creation time stays that of its first time."""

_LONGEST_LABEL = 63
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Content:
    """What a revision keeps: the spec of an API, and those of its plans by name."""

    spec: Mapping[str, Any]
    plans: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Write:
    """A revision to apply: a new one, or one that is there and gets a new number."""

    action: Literal["create", "renumber"]
    revision: KubeObject


def to_write(
    api: KubeObject, plans: Iterable[KubeObject], existing: Iterable[KubeObject], now: datetime
) -> Write | None:
    """What to apply so that the newest revision of an API is what it is now; None where it is already.

    `existing` may hold revisions of others, as of a deleted API of the same name: they are left out.
    """
    own = revisions_of(api, existing)
    latest = number_of(own[-1]) if own else 0
    revision = revision_of(api, plans, latest + 1, now)
    name = revision["metadata"]["name"]
    if own and own[-1]["metadata"]["name"] == name:
        return None
    known = any(other["metadata"]["name"] == name for other in own)
    return Write("renumber" if known else "create", revision)


def to_prune(existing: Iterable[KubeObject], limit: int) -> tuple[KubeObject, ...]:
    """The oldest revisions of one API beyond a limit; the newest is never among them."""
    ordered = sorted(existing, key=number_of)
    return tuple(ordered[: max(0, len(ordered) - max(limit, 1))])


def revision_of(api: KubeObject, plans: Iterable[KubeObject], number: int, now: datetime) -> KubeObject:
    """The ControllerRevision of an API with its plans; the API's uid must be known, as it owns it."""
    metadata = api["metadata"]
    content = content_of(api, plans)
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": _name(api, content),
            "namespace": metadata["namespace"],
            "labels": {"app.kubernetes.io/managed-by": "penstock", API_LABEL: label_of(metadata["name"])},
            "annotations": {RECORDED_AT: now.isoformat(timespec="seconds")},
            "ownerReferences": [_owner(metadata)],
        },
        "data": {"spec": content.spec, "plans": content.plans},
        "revision": number,
    }


def content_of(api: KubeObject, plans: Iterable[KubeObject]) -> Content:
    """The part of an API and its plans that a revision keeps."""
    return Content(api["spec"], {plan["metadata"]["name"]: plan["spec"] for plan in plans})


def content_in(revision: KubeObject) -> Content:
    """What a revision keeps."""
    data = revision["data"]
    return Content(data["spec"], data["plans"])


def resources_of(revision: KubeObject) -> tuple[KubeObject, ...]:
    """The manifests of a revision: the ApiDefinition, then its Plans by name."""
    metadata = revision["metadata"]
    owner = metadata["ownerReferences"][0]
    return manifests_of(owner["name"], metadata["namespace"], content_in(revision))


def manifests_of(name: str, namespace: str, content: Content) -> tuple[KubeObject, ...]:
    """The manifests of an API and its plans."""
    plans = [_manifest("Plan", plan, namespace, content.plans[plan]) for plan in sorted(content.plans)]
    return (_manifest("ApiDefinition", name, namespace, content.spec), *plans)


def revisions_of(api: KubeObject, revisions: Iterable[KubeObject]) -> list[KubeObject]:
    """The revisions that an API owns, the newest last."""
    uid = api["metadata"]["uid"]
    return sorted((one for one in revisions if uid in _owners(one)), key=number_of)


def number_of(revision: KubeObject) -> int:
    """The number of a revision."""
    return int(revision["revision"])


def label_of(api: str) -> str:
    """The value of the label that leads from an API's name to its revisions: at most 63 characters."""
    if len(api) <= _LONGEST_LABEL:
        return api
    digest = _digest(api.encode())
    return f"{api[: _LONGEST_LABEL - len(digest) - 1]}-{digest}"


def _name(api: KubeObject, content: Content) -> str:
    # The uid is part of it, so that an API never meets the revisions of a deleted one of its name.
    metadata = api["metadata"]
    known = (metadata["uid"], content.spec, content.plans)
    digest = _digest(msgspec.json.encode(known, order="deterministic"))
    return f"{metadata['name'][: _LONGEST_NAME - len(digest) - 1].rstrip('-.')}-{digest}"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _owner(metadata: Mapping[str, Any]) -> KubeObject:
    return {
        "apiVersion": API_VERSION,
        "kind": "ApiDefinition",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _owners(revision: KubeObject) -> set[str]:
    return {owner["uid"] for owner in revision["metadata"].get("ownerReferences", ())}


def _manifest(kind: str, name: str, namespace: str, spec: Mapping[str, Any]) -> KubeObject:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(spec)}
