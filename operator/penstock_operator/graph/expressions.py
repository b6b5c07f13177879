"""Checks the strings of a resource: broken expressions, misplaced ones, and the names that they use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

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
        uses.findings.append(
            Finding("InvalidExpression", "expressions are not evaluated in this field", text.path)
        )
        return
    try:
        (check_condition if text.kind == "condition" else check_template)(text.text)
    except ExpressionError as error:
        uses.findings.append(Finding("InvalidExpression", str(error), text.path))
        return
    _collect_names(text, uses)


def _collect_names(text: Text, uses: Uses) -> None:
    try:
        tree = _PARSER.parse(text.text if MARK in text.text else f"{MARK}{text.text}}}")
    except TemplateSyntaxError as error:
        uses.findings.append(Finding("InvalidExpression", str(error), text.path))
        return
    _collect_properties(tree, text.path, uses)
    _collect_secrets(tree, text.path, uses)


def _collect_properties(tree: nodes.Template, path: FieldPath, uses: Uses) -> None:
    members: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr)]
    members += tree.find_all(nodes.Getitem)
    for node in members:
        name = _member(node)
        if name is not None and _is_member(node.node, "api", "properties"):
            uses.properties.append(Use(name, path))


def _collect_secrets(tree: nodes.Template, path: FieldPath, uses: Uses) -> None:
    literal = 0
    for call in tree.find_all(nodes.Call):
        arguments = call.args
        if not _is_member(call.node, "secrets", "get") or len(arguments) != 1 or call.kwargs:
            continue
        if isinstance(arguments[0], nodes.Const) and isinstance(arguments[0].value, str):
            uses.secrets.append(Use(arguments[0].value, path))
            literal += 1
    if literal != sum(name.name == "secrets" for name in tree.find_all(nodes.Name)):
        message = "secrets are read as {#secrets.get('NAME')}, with the name in quotes"
        uses.findings.append(Finding("InvalidExpression", message, path))


def _member(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return str(node.arg.value) if isinstance(node.arg, nodes.Const) else None


def _is_member(node: nodes.Node, owner: str, member: str) -> bool:
    if not isinstance(node, nodes.Getattr | nodes.Getitem) or _member(node) != member:
        return False
    return isinstance(node.node, nodes.Name) and node.node.name == owner
