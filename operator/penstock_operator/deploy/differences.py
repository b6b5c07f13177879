"""A wanted object and the one that the API server holds -> whether it has to be applied.

It has to where a field differs or is gone. Fields that nobody wanted are not looked at: defaults of the
server, and what others own. Where server-side apply replaces a whole list or map, all of it counts, so that
nothing can be slipped in; the merge keys are those of Kubernetes' own API types.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kubernetes.utils.quantity import parse_quantity

from penstock_operator.resources.kube import KubeObject

Path = tuple[str, ...]

_POD: Final[Path] = ("spec", "template", "spec")
_CONTAINERS: Final[Path] = (*_POD, "containers")
_MERGE_KEYS: Final[dict[Path, tuple[str, ...]]] = {
    ("metadata", "ownerReferences"): ("uid",),
    ("spec", "ports"): ("port", "protocol"),
    _CONTAINERS: ("name",),
    (*_CONTAINERS, "env"): ("name",),
    (*_CONTAINERS, "ports"): ("containerPort", "protocol"),
    (*_CONTAINERS, "volumeMounts"): ("mountPath",),
    (*_POD, "imagePullSecrets"): ("name",),
    (*_POD, "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
    (*_POD, "volumes"): ("name",),
}
"""Lists that server-side apply merges by the keys of their items; all others it replaces."""

_ATOMIC: Final[frozenset[Path]] = frozenset((
    ("roleRef",),
    ("spec", "podSelector"),
    ("spec", "scaleTargetRef"),
    ("spec", "selector"),
    (*_POD, "nodeSelector"),
))  # fmt: skip
"""Maps that server-side apply replaces as a whole."""

_AMOUNTS: Final = frozenset(("requests", "limits"))


def covers(desired: KubeObject, observed: KubeObject) -> bool:
    """Whether all that is wanted of an object is there, with the same values."""
    return _covers(desired, observed, ())


def _covers(desired: Any, observed: Any, path: Path) -> bool:
    # The server leaves out what is empty.
    if isinstance(desired, dict):
        return _covers_map(desired, observed or {}, path)
    if isinstance(desired, list):
        return _covers_list(desired, observed or [], path)
    if _AMOUNTS.intersection(path[-2:-1]):
        return observed is not None and _amount(desired) == _amount(observed)
    return bool(desired == observed)


def _covers_map(desired: dict[str, Any], observed: dict[str, Any], path: Path) -> bool:
    if path in _ATOMIC:
        return desired == observed
    return all(_covers(value, observed.get(key), (*path, key)) for key, value in desired.items())


def _covers_list(desired: list[Any], observed: list[Any], path: Path) -> bool:
    keys = _MERGE_KEYS.get(path)
    if keys is None:
        return desired == observed
    by_key = {_key(item, keys): item for item in observed}
    return all(_covers(item, by_key.get(_key(item, keys)), path) for item in desired)


def _key(item: dict[str, Any], keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple(item.get(key) for key in keys)


def _amount(value: Any) -> Any:
    """A quantity as a number: `0.5` and `500m` are the same."""
    return parse_quantity(value)  # type: ignore[no-untyped-call]
