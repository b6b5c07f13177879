"""Turns two contents of an API into what changed between them: a few words, or a unified diff of YAML."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from penstock_operator.history.revisions import Content
from penstock_operator.manifests.reader import FieldPath, format_path
from penstock_operator.resources.kube import KubeObject

_SHOWN = 3


def summary(older: Content | None, newer: Content) -> str:
    """What changed, in a few words: fields by their paths, plans by name; the first version has no older."""
    if older is None:
        plans = ", ".join(sorted(newer.plans)) or "none"
        return f"first revision; plans: {plans}"
    changes = list(_changes(older, newer))
    more = len(changes) - _SHOWN
    shown = ", ".join(changes[:_SHOWN]) or "nothing"
    return f"{shown} and {more} more" if more > 0 else shown


def unified_diff(older: Iterable[KubeObject], newer: Iterable[KubeObject], names: tuple[str, str]) -> str:
    """The unified diff of manifests as YAML; empty where they are the same."""
    before, after = (as_yaml(resources).splitlines(keepends=True) for resources in (older, newer))
    return "".join(difflib.unified_diff(before, after, *names))


def as_yaml(resources: Iterable[KubeObject]) -> str:
    """Manifests as documents of YAML, the same text for the same content whatever the order of its keys."""
    text: str = yaml.dump_all(map(_ordered, resources), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


class _Dumper(yaml.SafeDumper):
    """Without anchors; long texts stay on one line, so that a diff is not about line breaks."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "width": float("inf")})

    def ignore_aliases(self, data: object) -> bool:
        return True


def _ordered(resource: KubeObject) -> KubeObject:
    """`apiVersion`, `kind`, `metadata`, `spec` in the order in which people write them, sorted below."""
    return {key: _sorted(value) for key, value in resource.items()}


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value, key=_name_first)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _name_first(key: str) -> tuple[bool, str]:
    return (key != "name", key)


def _changes(older: Content, newer: Content) -> Iterator[str]:
    for path in _differences(older.spec, newer.spec, ("spec",)):
        yield format_path(path)
    for name in sorted({*older.plans, *newer.plans}):
        if name not in older.plans:
            yield f"plan {name} added"
        elif name not in newer.plans:
            yield f"plan {name} removed"
        else:
            for path in _differences(older.plans[name], newer.plans[name], ("spec",)):
                yield f"plan {name} {format_path(path)}"


def _differences(older: Any, newer: Any, path: FieldPath) -> Iterator[FieldPath]:
    """The fields that differ, as deep as both sides have the same shape."""
    if older == newer:
        return
    if isinstance(older, Mapping) and isinstance(newer, Mapping):
        for key in sorted({*older, *newer}):
            yield from _differences(older.get(key), newer.get(key), (*path, key))
    elif isinstance(older, list) and isinstance(newer, list) and len(older) == len(newer):
        for index, (one, other) in enumerate(zip(older, newer, strict=True)):
            yield from _differences(one, other, (*path, index))
    else:
        yield path
