"""The counters of several workers to their sums."""

from __future__ import annotations

from typing import Any

Counters = dict[str, Any]


def add(one: Counters, other: Counters) -> Counters:
    """The sums of two dumps of `WorkerStats`; what only one of them has stays as it is."""
    total = dict(one)
    for name, value in other.items():
        total[name] = _sum(total[name], value) if name in total else value
    return total


def total(dumps: list[Counters]) -> Counters:
    """The sums of many dumps."""
    result: Counters = {}
    for dump in dumps:
        result = add(result, dump)
    return result


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        return add(one, other)
    if isinstance(one, list):
        return [first + second for first, second in zip(one, other, strict=True)]
    return one + other
