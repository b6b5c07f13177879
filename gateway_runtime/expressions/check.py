"""Checks of expressions for those who have no exchange and no secrets: the operator's graph."""

from __future__ import annotations

from gateway_runtime.expressions.compile import compile_condition, compile_template
from gateway_runtime.expressions.errors import ExpressionError

__all__ = ["ExpressionError", "check_condition", "check_template"]


def check_template(text: str) -> None:
    """Raise ExpressionError where a string holds a broken expression."""
    compile_template(text, _any_secret)


def check_condition(text: str) -> None:
    """Raise ExpressionError where a text is not exactly one sound expression."""
    compile_condition(text, _any_secret)


def _any_secret(_name: str) -> str:
    return ""
