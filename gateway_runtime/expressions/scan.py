"""A string to its plain parts and its `{#...}` expressions.

An expression ends at the first brace that no bracket and no quote of its own encloses.
"""

from __future__ import annotations

from typing import Final

from gateway_runtime.expressions.errors import ExpressionError

START: Final = "{#"
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}


class Part:
    """A piece of a string: plain text, or the source of an expression."""

    __slots__ = ("is_expression", "text")

    def __init__(self, text: str, is_expression: bool) -> None:
        self.text = text
        self.is_expression = is_expression


def split(text: str) -> list[Part]:
    """The parts of a string, in order, empty plain parts left out.

    Raises ExpressionError for an expression that does not end or is empty.
    """
    parts: list[Part] = []
    position = 0
    while True:
        start = text.find(START, position)
        if start < 0:
            break
        if start > position:
            parts.append(Part(text[position:start], False))
        end = _end_of(text, start + len(START))
        source = text[start + len(START) : end].strip()
        if not source:
            raise ExpressionError(f"the expression at column {start + 1} is empty")
        parts.append(Part(source, True))
        position = end + 1
    if position < len(text):
        parts.append(Part(text[position:], False))
    return parts


def _end_of(text: str, start: int) -> int:
    """The index of the brace that ends the expression whose source starts at `start`."""
    expected: list[str] = []
    index = start
    while index < len(text):
        character = text[index]
        if character in "'\"":
            index = _end_of_quote(text, index)
        elif character in _CLOSERS:
            expected.append(_CLOSERS[character])
        elif expected and character == expected[-1]:
            expected.pop()
        elif character == "}" and not expected:
            return index
        index += 1
    raise ExpressionError(f"the expression at column {start - 1} does not end: `}}` is missing")


def _end_of_quote(text: str, start: int) -> int:
    index = start + 1
    while index < len(text) and text[index] != text[start]:
        index += 2 if text[index] == "\\" else 1
    return index
