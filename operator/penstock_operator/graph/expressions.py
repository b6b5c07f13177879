"""Checks the strings of a resource: broken expressions, misplaced ones, and the names that they use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from jinja2 import Environment, nodes

from gateway_runtime.expressions.compile import Secrets, compile_condition, compile_template
from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.expressions.scan import START, split
from gateway_runtime.expressions.settings import evaluate_setting
from penstock_operator.graph.texts import Kind, Text
from penstock_operator.graph.types import Finding
from penstock_operator.manifests.reader import FieldPath

_PROPERTIES = ("api.properties", "context.api.properties")

_COMPILERS: dict[Kind, Callable[[str, Secrets], object]] = {
    "template": compile_template,
    "setting": evaluate_setting,
    "condition": compile_condition,
}

_PARSER = Environment()  # noqa: S701 - parses, never renders


@dataclass(frozen=True, slots=True)
class Use:
    """A name that an expression uses, and where."""

    name: str
    path: FieldPath


@dataclass(slots=True)
class Uses:
    """What the expressions of a resource need besides the request, and what is wrong with them."""

    findings: list[Finding] = field(default_factory=list)
    secrets: list[Use] = field(default_factory=list)
    properties: list[Use] = field(default_factory=list)


def examine(found: Iterable[Text]) -> Uses:
    """The uses and findings of strings."""
    uses = Uses()
    for text in found:
        if text.kind == "condition" or START in text.text:
            _examine_text(text, uses)
    return uses


def _examine_text(text: Text, uses: Uses) -> None:
    if text.kind == "plain":
        message = "expressions are not evaluated in this field"
        uses.findings.append(Finding("InvalidExpression", message, text.path))
        return
    names = _names_in(text.text, text.kind)
    if names.error is not None:
        uses.findings.append(Finding("InvalidExpression", names.error, text.path))
        return
    uses.secrets += [Use(name, text.path) for name in names.secrets]
    uses.properties += [Use(name, text.path) for name in names.properties]


@dataclass(frozen=True, slots=True)
class _Names:
    """The names that a text uses, or why it is broken."""

    error: str | None = None
    secrets: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()


# Many APIs share their expressions, and parsing one costs as much as all other checks of an API.
@lru_cache(maxsize=4096)
def _names_in(text: str, kind: Kind) -> _Names:
    secrets: dict[str, None] = {}

    def note(name: str) -> str:
        secrets[name] = None
        return ""

    try:
        _COMPILERS[kind](text, note)
    except ExpressionError as error:
        return _Names(str(error))
    return _Names(None, tuple(secrets), tuple(_properties(text)))


def _properties(text: str) -> Iterator[str]:
    """The X of each `api.properties.X`; the text has been compiled, so it can be parsed."""
    for part in split(text):
        if part.is_expression:
            tree = _PARSER.parse("{{ " + part.text + " }}")
            members: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr)]
            members += tree.find_all(nodes.Getitem)
            yield from (name for owner, name in map(_member, members) if owner in _PROPERTIES)


def _member(node: nodes.Expr) -> tuple[str, str]:
    """The dotted owner and the name of a member; empty where they are not known at load."""
    if isinstance(node, nodes.Getattr):
        return _dotted(node.node), node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return _dotted(node.node), str(node.arg.value)
    return "", ""


def _dotted(node: nodes.Expr) -> str:
    return node.name if isinstance(node, nodes.Name) else ".".join(_member(node))
