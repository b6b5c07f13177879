"""Values of expressions to text."""

from __future__ import annotations


def render(value: object) -> str:
    """A value as text: missing is empty, truth values are `true` and `false`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
