"""Turns the work on a generated API key into the Secret to write."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from penstock_operator.graph.keys import (
    KEY,
    PREVIOUS_KEY,
    PREVIOUS_UNTIL,
    ROTATED,
    KeyWork,
    key_secret_name,
)
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.meta import API_VERSION
from penstock_operator.resources.secret import MANAGED_BY, MANAGER
from penstock_operator.resources.subscription import ROTATE_KEY, Subscription


def secret_of(work: KeyWork, new_key: str, now: datetime) -> KubeObject:
    """The Secret that the work asks for; `new_key` is used where it asks for a key."""
    current = work.current.values.get(KEY) if work.current else None
    if not work.makes_key and current is not None:
        return key_secret(work.subscription, current.decode())
    if current is None:
        return key_secret(work.subscription, new_key)
    until = datetime.fromtimestamp(now.timestamp() + work.overlap, UTC)
    return key_secret(work.subscription, new_key, current.decode(errors="replace"), until)


def key_secret(
    subscription: Subscription,
    key: str,
    previous: str | None = None,
    previous_until: datetime | None = None,
) -> KubeObject:
    """The Secret with a subscription's key, and the key before it while that one holds."""
    metadata = subscription.metadata
    annotations = {ROTATED: metadata.annotations.get(ROTATE_KEY, "")}
    data = {KEY: _base64(key)}
    if previous is not None and previous_until is not None:
        annotations[PREVIOUS_UNTIL] = previous_until.astimezone(UTC).isoformat(timespec="seconds")
        data[PREVIOUS_KEY] = _base64(previous)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": key_secret_name(metadata.name),
            "namespace": metadata.namespace,
            "labels": {MANAGED_BY: MANAGER},
            "annotations": annotations,
            "ownerReferences": [_owner(subscription)],
        },
        "type": "Opaque",
        "data": data,
    }


def _owner(subscription: Subscription) -> KubeObject:
    return {
        "apiVersion": API_VERSION,
        "kind": "Subscription",
        "name": subscription.metadata.name,
        "uid": subscription.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
