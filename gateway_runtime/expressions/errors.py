"""What is wrong with an expression."""

from __future__ import annotations

from difflib import get_close_matches


class ExpressionError(ValueError):
    """A broken expression; the message is for the person who wrote it."""


class SecretMissingError(KeyError):
    """A secret that an expression names is not there."""


def unknown(kind: str, name: str, known: list[str]) -> ExpressionError:
    """An unknown name, with the nearest known one."""
    near = get_close_matches(name, known, n=1)
    hint = f", did you mean `{near[0]}`?" if near else f"; known are {', '.join(sorted(known))}"
    return ExpressionError(f"unknown {kind} `{name}`{hint}")
