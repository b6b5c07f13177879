"""Checks the strings of a resource: broken expressions, misplaced ones, and the names that they use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes

from gateway_runtime.expressions.check import ExpressionError, check_condition, check_template
from penstock_operator.graph.texts import Text
from penstock_operator.graph.types import Finding
from penstock_operator.manifests.reader import FieldPath

MARK = "{#"

# Only the names in a text are wanted here; its checks are the runtime's. The other delimiters are no text.
_PARSER = Environment(  # noqa: S701 - parses, never renders
    variable_start_string=MARK,
    variable_end_string="}",
    block_start_string="\x00{%",
    block_end_string="%}\x00",
    comment_start_string="\x00{-",
    comment_end_string="-}\x00",
)


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
        if text.kind == "condition" or MARK in text.text:
            _examine_text(text, uses)
    return uses


def _examine_text(text: Text, uses: Uses) -> None:
    if text.kind == "plain":
        message = "expressions are not evaluated in this field"
        uses.findings.append(Finding("InvalidExpression", message, text.path))
        return
    names = _names_in(text.text, text.kind == "condition")
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
def _names_in(text: str, is_condition: bool) -> _Names:
    try:
        (check_condition if is_condition else check_template)(text)
        tree = _PARSER.parse(text if MARK in text else f"{MARK}{text}}}")
    except (ExpressionError, TemplateSyntaxError) as error:
        return _Names(str(error))
    secrets = tuple(_secrets(tree))
    if len(secrets) != sum(name.name == "secrets" for name in tree.find_all(nodes.Name)):
        return _Names("secrets are read as {#secrets.get('NAME')}, with the name in quotes")
    return _Names(None, secrets, tuple(_properties(tree)))


def _properties(tree: nodes.Template) -> Iterator[str]:
    members: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr)]
    members += tree.find_all(nodes.Getitem)
    for node in members:
        name = _member(node)
        if name is not None and _is_member(node.node, "api", "properties"):
            yield name


def _secrets(tree: nodes.Template) -> Iterator[str]:
    for call in tree.find_all(nodes.Call):
        if not _is_member(call.node, "secrets", "get") or len(call.args) != 1 or call.kwargs:
            continue
        name = call.args[0]
        if isinstance(name, nodes.Const) and isinstance(name.value, str):
            yield name.value


def _member(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return str(node.arg.value) if isinstance(node.arg, nodes.Const) else None


def _is_member(node: nodes.Node, owner: str, member: str) -> bool:
    if not isinstance(node, nodes.Getattr | nodes.Getitem) or _member(node) != member:
        return False
    return isinstance(node.node, nodes.Name) and node.node.name == owner
