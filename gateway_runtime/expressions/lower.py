"""The source of an expression to a Python function, by way of Jinja's syntax tree.

Look-ups, constants, comparisons and `and`, `or`, `not` become closures; what else an expression holds runs in
Jinja's sandbox, which then gets the values of its look-ups and nothing more.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from jinja2 import TemplateError, nodes

from gateway_runtime.exchange import Exchange
from gateway_runtime.expressions.errors import ExpressionError, SecretMissingError, unknown
from gateway_runtime.expressions.names import Getter, resolve
from gateway_runtime.expressions.sandbox import ALLOWED, METHODS, SANDBOX, TEXT_FILTER

Secrets = Callable[[str], str]

_COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}
_MAX_SOURCE: Final = 4096
_MAX_DEPTH: Final = 40
"""Bounds the stack that an expression takes, while it compiles and while it runs."""


class Constant:
    """A value known at load."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, _exchange: Exchange) -> Any:
        return self.value


def lower(source: str, secrets: Secrets) -> Getter:
    """The function that gives an expression's value; a `Constant` where it needs no exchange.

    Raises ExpressionError for a broken expression, SecretMissingError for a secret that is not there.
    """
    return _lower(parse(source), secrets)


def parse(source: str) -> nodes.Expr:
    """The syntax tree of an expression. Raises ExpressionError where it is none, or too long or too deep."""
    if len(source) > _MAX_SOURCE:
        raise ExpressionError(f"the expression is longer than {_MAX_SOURCE} characters")
    try:
        tree = SANDBOX.parse("{{ " + source + " }}")
    except (TemplateError, RecursionError, ValueError) as error:
        raise ExpressionError(f"`{source}` is no expression: {error}") from error
    output = tree.body[0] if len(tree.body) == 1 else None
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        raise ExpressionError(f"`{source}` is not one expression")
    expression = output.nodes[0]
    if isinstance(expression, nodes.TemplateData):
        raise ExpressionError(f"`{source}` is not one expression")
    _check_depth(expression)
    return expression


def _check_depth(expression: nodes.Node) -> None:
    level = [expression]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise ExpressionError(f"the expression is nested deeper than {_MAX_DEPTH} levels")


def _lower(node: nodes.Node, secrets: Secrets) -> Getter:
    if isinstance(node, nodes.Const):
        return Constant(node.value)
    if _is_lookup(node):
        return _lookup(node)
    if isinstance(node, nodes.Call) and _is_secret(node):
        return Constant(_secret(node, secrets))
    if isinstance(node, nodes.Compare) and len(node.ops) == 1:
        return _comparison(node, secrets)
    return _logic(node, secrets)


def _logic(node: nodes.Node, secrets: Secrets) -> Getter:
    if isinstance(node, nodes.And | nodes.Or):
        return _junction(_lower(node.left, secrets), _lower(node.right, secrets), isinstance(node, nodes.And))
    if isinstance(node, nodes.Not):
        return _negation(_lower(node.node, secrets))
    return _sandboxed(node, secrets)


def _comparison(node: nodes.Compare, secrets: Secrets) -> Getter:
    left = _lower(node.expr, secrets)
    right = _lower(node.ops[0].expr, secrets)
    compare = _COMPARISONS[node.ops[0].op]
    if isinstance(right, Constant):
        constant = right.value
        if compare is operator.ne and constant is None:
            return lambda exchange: left(exchange) is not None
        if compare is operator.eq and constant is None:
            return lambda exchange: left(exchange) is None
        return lambda exchange: compare(left(exchange), constant)
    return lambda exchange: compare(left(exchange), right(exchange))


def _junction(left: Getter, right: Getter, both: bool) -> Getter:
    if both:
        return lambda exchange: left(exchange) and right(exchange)
    return lambda exchange: left(exchange) or right(exchange)


def _negation(inner: Getter) -> Getter:
    return lambda exchange: not inner(exchange)


def _is_lookup(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Getattr) or (
        isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const)
    ):
        node = node.node
    return isinstance(node, nodes.Name)


def _lookup(node: nodes.Node) -> Getter:
    """The getter of a chain of members."""
    return resolve(_path(node))


def _path(node: nodes.Node) -> list[str]:
    path: list[str] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            path.append(node.attr)
            node = node.node
        else:
            assert isinstance(node, nodes.Getitem)
            assert isinstance(node.arg, nodes.Const)
            path.append(_member(node.arg.value))
            node = node.node
    path.append(node.name)
    return path[::-1]


def _member(value: object) -> str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ExpressionError(f"`{value}` names no member: write a string or a number between the brackets")


def _is_secret(node: nodes.Call) -> bool:
    callee = node.node
    return (
        isinstance(callee, nodes.Getattr)
        and isinstance(callee.node, nodes.Name)
        and callee.node.name == "secrets"
    )


def secret_name(node: nodes.Call) -> str:
    """What `secrets.get(...)` asks for. Raises ExpressionError where that is not known at load."""
    callee = node.node
    if isinstance(callee, nodes.Getattr) and callee.attr != "get":
        raise unknown("member of `secrets`", callee.attr, ["get"])
    values = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
    names = [value for value in values if isinstance(value, str)]
    if (
        node.kwargs
        or node.dyn_args
        or node.dyn_kwargs
        or len(names) != len(node.args)
        or not 1 <= len(names) <= 2
    ):
        raise ExpressionError("secrets.get takes one name, or a path and a key, as plain strings")
    return ":".join(names)


def _secret(node: nodes.Call, secrets: Secrets) -> str:
    name = secret_name(node)
    try:
        return secrets(name)
    except KeyError as error:
        raise SecretMissingError(f"the secret `{name}` is not there") from error


class _Values:
    """The values that a sandboxed expression gets, by the names put in their places."""

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self.getters: dict[str, Getter] = {}

    def name_of(self, getter: Getter) -> nodes.Name:
        """A new name for a value."""
        name = f"v{len(self.getters)}"
        self.getters[name] = getter
        return nodes.Name(name, "load")


def _sandboxed(node: nodes.Node, secrets: Secrets) -> Getter:
    values = _Values(secrets)
    assign = nodes.Assign(nodes.Name("result", "store"), _replace(node, values), lineno=1)
    try:
        template = SANDBOX.from_string(nodes.Template([assign], lineno=1))
    except (TemplateError, RecursionError, SyntaxError, MemoryError) as error:
        raise ExpressionError(str(error)) from error
    getters = list(values.getters.items())

    def run(exchange: Exchange) -> Any:
        context = template.new_context({name: getter(exchange) for name, getter in getters})
        for _ in template.root_render_func(context):
            pass
        return context.vars["result"]

    return run


def _replace(node: nodes.Node, values: _Values) -> Any:
    """The same tree with each look-up replaced by a name; refuses what the sandbox must not run."""
    if isinstance(node, nodes.Call):
        return _replace_call(node, values)
    if _is_lookup(node):
        return values.name_of(_lookup(node))
    if isinstance(node, nodes.Getattr):
        raise ExpressionError(f"`.{node.attr}` is no name that expressions know")
    _check(node)
    for field, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, field, _replace(value, values))
        elif isinstance(value, list):
            setattr(node, field, [_replace(v, values) if isinstance(v, nodes.Node) else v for v in value])
    if isinstance(node, nodes.Concat):
        node.nodes = [nodes.Filter(part, TEXT_FILTER, [], [], None, None) for part in node.nodes]
    elif isinstance(node, nodes.CondExpr) and node.expr2 is None:
        node.expr2 = nodes.Const(None)
    return node


def _check(node: nodes.Node) -> None:
    if not isinstance(node, ALLOWED):
        what = getattr(node, "operator", None) or type(node).__name__.lower()
        raise ExpressionError(f"`{what}` is not available in expressions")
    if isinstance(node, nodes.Filter) and node.name not in SANDBOX.filters:
        raise unknown("filter", node.name, list(SANDBOX.filters))
    if isinstance(node, nodes.Test) and node.name not in SANDBOX.tests:
        raise unknown("test", node.name, list(SANDBOX.tests))
    if isinstance(node, nodes.Filter | nodes.Test) and (node.dyn_args or node.dyn_kwargs):
        raise ExpressionError("`*` and `**` are not available in expressions")


def _replace_call(node: nodes.Call, values: _Values) -> Any:
    if _is_secret(node):
        return values.name_of(Constant(_secret(node, values.secrets)))
    callee = node.node
    if not isinstance(callee, nodes.Getattr) or callee.attr not in METHODS:
        raise ExpressionError(f"only these can be called: {', '.join(METHODS)}")
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise ExpressionError(f"`{callee.attr}` takes plain arguments, without names")
    callee.node = _replace(callee.node, values)
    node.args = [_replace(argument, values) for argument in node.args]
    return node
