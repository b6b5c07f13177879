"""Strings that are needed before any request is there: their expressions are evaluated once, at load."""

from __future__ import annotations

from gateway_runtime.expressions.compile import Secrets, compile_template
from gateway_runtime.expressions.errors import ExpressionError


def evaluate_setting(text: str, secrets: Secrets) -> str:
    """The string with its secrets.

    Raises ExpressionError for a broken expression and one that needs a request, SecretMissingError for a
    secret that is not there.
    """
    value = compile_template(text, secrets).constant
    if value is None:
        raise ExpressionError("no request is there when this is read: only secrets.get(...) can be used")
    return value
