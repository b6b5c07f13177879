"""What Jinja may run of an expression: named syntax, filters, tests and methods, all else is refused at load.

A missing value is None everywhere, never Jinja's Undefined. What could make a long text out of a short one
(multiplication, powers, formats) is left out or bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import quote

from jinja2 import filters, nodes
from jinja2 import tests as jinja_tests
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gateway_runtime.expressions.render import render

ALLOWED: Final = (
    nodes.Add, nodes.And, nodes.Compare, nodes.Concat, nodes.CondExpr, nodes.Const, nodes.Dict, nodes.Div,
    nodes.Filter, nodes.Getitem, nodes.Keyword, nodes.List, nodes.Name, nodes.Neg, nodes.Not, nodes.Operand,
    nodes.Or, nodes.Pair, nodes.Pos, nodes.Slice, nodes.Sub, nodes.Test, nodes.Tuple,
)  # fmt: skip
METHODS: Final = ("startswith", "endswith", "lower", "upper", "strip", "split")
TEXT_FILTER: Final = "string"
_MAX_TEXT: Final = 1 << 20
_MAX_PRECISION: Final = 15


def _replace(value: object, old: str, new: str) -> str:
    text = render(value)
    if len(text) + text.count(old) * (len(new) - len(old)) > _MAX_TEXT:
        raise ValueError(f"replace would make a text longer than {_MAX_TEXT} characters")
    return text.replace(old, new)


def _join(values: Iterable[object], separator: str = "") -> str:
    texts = [render(value) for value in values]
    if sum(map(len, texts)) + len(texts) * len(separator) > _MAX_TEXT:
        raise ValueError(f"join would make a text longer than {_MAX_TEXT} characters")
    return separator.join(texts)


def _round(value: float, precision: int = 0) -> float:
    if not 0 <= precision <= _MAX_PRECISION:
        raise ValueError(f"round takes 0 to {_MAX_PRECISION} digits")
    return round(float(value), precision)


def _default(value: object, fallback: object = "", boolean: bool = False) -> object:
    return fallback if value is None or (boolean and not value) else value


def _first(values: Iterable[object]) -> object:
    return next(iter(values), None)


def _last(values: Iterable[object]) -> object:
    kept = list(values)
    return kept[-1] if kept else None


def _unique(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _sort(values: Iterable[Any], reverse: bool = False) -> list[Any]:
    return sorted(values, reverse=reverse)


def _is_defined(value: object) -> bool:
    return value is not None


def _is_undefined(value: object) -> bool:
    return value is None


_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs, "default": _default, "first": _first, "float": filters.do_float, "int": filters.do_int,
    "join": _join, "last": _last, "length": len, "list": list, "lower": lambda value: render(value).lower(),
    "replace": _replace, "round": _round, "sort": _sort, TEXT_FILTER: render,
    "title": lambda value: filters.do_title(render(value)), "trim": lambda value: render(value).strip(),
    "unique": _unique, "upper": lambda value: render(value).upper(),
    "urlencode": lambda value: quote(render(value), safe=""),
}  # fmt: skip
_TESTS: Final = ("boolean", "eq", "even", "false", "float", "ge", "gt", "in", "integer", "le", "lower", "lt",
                 "mapping", "ne", "none", "number", "odd", "sequence", "string", "true", "upper")  # fmt: skip


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with these filters and tests alone, and no way from a value to its Python attributes."""

    def __init__(self) -> None:
        super().__init__(autoescape=False)  # no HTML is made
        self.globals.clear()
        self.filters = dict(_FILTERS)
        self.tests = {name: jinja_tests.TESTS[name] for name in _TESTS}
        self.tests |= {"defined": _is_defined, "undefined": _is_undefined}

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A member of a map or a list; None where it is not there."""
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return None

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A method of a text; the compiler lets no other attribute come here."""
        if not isinstance(obj, str):
            raise TypeError(f"`.{attribute}` needs a text")
        return getattr(obj, attribute)


SANDBOX: Final = _Sandbox()
