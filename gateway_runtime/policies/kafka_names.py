"""Names of Kafka resources in policies: plain, or with expressions whose values must be names themselves.

A value that is missing, or that would be a pattern, is no name: what it stands in must not become wider.
"""

from __future__ import annotations

from gateway_runtime.exchange import Exchange
from gateway_runtime.expressions.scan import START, split
from gateway_runtime.policies.base import Environment
from gateway_runtime.policies.base import Template as Compiled

_PATTERN_CHARACTERS = frozenset("*?")


class NameTemplate:
    """A name that may hold expressions."""

    __slots__ = ("_parts",)

    def __init__(self, text: str, environment: Environment) -> None:
        """Compile a name; raises ExpressionError for a broken expression."""
        self._parts: list[tuple[bool, Compiled]] = [
            (part.is_expression, environment.template(_source(part.text, part.is_expression)))
            for part in split(text)
        ]

    @property
    def is_constant(self) -> bool:
        """Whether it holds no expression that needs a client."""
        return all(part.constant is not None for _, part in self._parts)

    def __call__(self, exchange: Exchange) -> str | None:
        """The name; None where an expression gives none."""
        name = ""
        for is_expression, part in self._parts:
            value = part(exchange)
            if is_expression and (not value or not _PATTERN_CHARACTERS.isdisjoint(value)):
                return None
            name += value
        return name


def _source(text: str, is_expression: bool) -> str:
    return f"{START}{text}}}" if is_expression else text
