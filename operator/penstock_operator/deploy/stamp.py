"""An object -> the same with the digest of all that was wanted of it.

Server-side apply deletes a field that its manager no longer names. An object that was read shows by its
digest whether it was applied as it is wanted now, also where what has changed is that a field is gone.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from penstock_operator.resources.kube import KubeObject

APPLIED_ANNOTATION: Final = "penstock.dev/applied"


def stamped(wanted: KubeObject) -> KubeObject:
    """The object with its digest among its annotations."""
    text = msgspec.json.encode(wanted, order="deterministic")
    metadata = wanted["metadata"]
    stamp = {APPLIED_ANNOTATION: blake2b(text, digest_size=8).hexdigest()}
    return {**wanted, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **stamp}}}
