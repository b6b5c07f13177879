"""Strings of a configuration to functions: a plain string stays a constant and costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway_runtime.exchange import Exchange
from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.expressions.render import render
from gateway_runtime.expressions.scan import START, Part, split

Secrets = Callable[[str], str]
"""The value of a secret by the name that an expression gives; raises KeyError where it is not there."""


class ConstantTemplate:
    """A string without expressions, or with none that needs an exchange."""

    __slots__ = ("constant",)

    def __init__(self, text: str) -> None:
        self.constant: str | None = text

    def __call__(self, _exchange: Exchange) -> str:
        return self.constant or ""


class SingleTemplate:
    """A string that is one expression."""

    __slots__ = ("_get", "constant")

    def __init__(self, get: Callable[[Exchange], Any]) -> None:
        self.constant: str | None = None
        self._get = get

    def __call__(self, exchange: Exchange) -> str:
        value = self._get(exchange)
        return value if isinstance(value, str) else render(value)


class MixedTemplate:
    """Plain parts and expressions in turn."""

    __slots__ = ("_parts", "constant")

    def __init__(self, parts: list[Callable[[Exchange], str]]) -> None:
        self.constant: str | None = None
        self._parts = parts

    def __call__(self, exchange: Exchange) -> str:
        return "".join([part(exchange) for part in self._parts])


def compile_template(text: str, secrets: Secrets) -> ConstantTemplate | SingleTemplate | MixedTemplate:
    """The function that renders a string.

    Raises ExpressionError for a broken expression, SecretMissingError for a secret that is not there.
    """
    if START not in text:
        return ConstantTemplate(text)
    parts = [_part(part, secrets) for part in split(text)]
    if all(part.constant is not None for part in parts):
        return ConstantTemplate("".join([part.constant or "" for part in parts]))
    return parts[0] if len(parts) == 1 else MixedTemplate(list(parts))


def compile_condition(text: str, secrets: Secrets) -> Callable[[Exchange], bool]:
    """The function that tells whether an expression is true, by Jinja's notion of truth.

    Raises ExpressionError where the text is not exactly one expression, and as `compile_template` does.
    """
    get = _getter(condition_source(text), secrets)
    return lambda exchange: bool(get(exchange))


def condition_source(text: str) -> str:
    """The source of the one expression of a condition; raises ExpressionError where it is not one."""
    parts = split(text.strip())
    if len(parts) != 1 or not parts[0].is_expression:
        raise ExpressionError("a condition is exactly one expression, such as {#request.method == 'GET'}")
    return parts[0].text


def _part(part: Part, secrets: Secrets) -> ConstantTemplate | SingleTemplate:
    if not part.is_expression:
        return ConstantTemplate(part.text)
    # Only a configuration with expressions pays for Jinja.
    from gateway_runtime.expressions.lower import Constant  # noqa: PLC0415

    get = _getter(part.text, secrets)
    if isinstance(get, Constant):
        return ConstantTemplate(render(get.value))
    return SingleTemplate(get)


def _getter(source: str, secrets: Secrets) -> Callable[[Exchange], Any]:
    from gateway_runtime.expressions.lower import lower  # noqa: PLC0415 - as above

    return lower(source, secrets)
