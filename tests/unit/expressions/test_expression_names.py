"""Every name, as the guide lists them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway_runtime.exchange import Exchange, HeaderError, Headers
from gateway_runtime.expressions import sandbox
from gateway_runtime.expressions.compile import compile_condition, compile_template
from gateway_runtime.expressions.errors import ExpressionError, SecretMissingError

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "expressions.md"


def no_secret(name: str) -> str:
    raise KeyError(name)


def render(text: str, exchange: Exchange) -> str:
    return compile_template(text, no_secret)(exchange)


NAMES = {
    "request.method": "GET",
    "request.path": "/orders/items/7",
    "request.api_path": "/items/7",
    "request.path_params.id": "7",
    "request.query": "q=a%20b&empty=&q=second",
    "request.query_params.q": "a b",
    "request.query_params['empty']": "",
    "request.host": "api.example.com",
    "request.scheme": "http",
    "request.version": "HTTP/1.1",
    "request.remote_address": "192.0.2.7",
    "request.headers['X-TENANT']": "north",
    "request.headers['accept']": "text/html, text/plain",
    "response.status": "201",
    "response.headers['X-Server']": "one",
    "subscription": "mobile-orders",
    "subscription.name": "mobile-orders",
    "subscription.plan": "gold",
    "subscription.application.name": "mobile",
    "subscription.application.client_id": "mobile-app",
    "context.subscription.application.name": "mobile",
    "context.plan": "gold",
    "context.attributes.tier": "first",
    "context.attributes['tier']": "first",
    "context.api.name": "orders",
    "api.name": "orders",
    "api.namespace": "shop",
    "api.version": "1.2",
    "api.properties.region": "eu-west",
    "jwt.claims.sub": "anna",
    "jwt.claims['realm']['roles'][1]": "writer",
    "jwt.claims.realm.roles[9]": "",
    "jwt.claims.sub.none.such": "",
    "jwt.claims.admin": "true",
    "jwt.claims.age": "40",
    "message.topic": "orders",
    "message.partition": "3",
    "message.offset": "0",
    "message.timestamp": "1700000000000",
    "message.key": "k",
    "message.value": '{"total": 5, "lines": [{"sku": "a"}]}',
    "message.headers['region']": "eu",
    "message.headers.none": "",
    "message.content.total": "5",
    "message.content['lines'][0].sku": "a",
    "message.content.lines[4].sku": "",
}
OPTIONAL = [
    name
    for name in NAMES
    if not re.match(
        r"request\.(method|path$|api_path|query$|host|scheme|version|remote)|(context\.)?api\.n", name
    )
]


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_a_name_gives_its_value(name: str, expected: str, exchange: Exchange) -> None:
    assert render(f"{{#{name}}}", exchange) == expected


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_missing_value_is_an_empty_text(name: str, bare: Exchange) -> None:
    assert render(f"[{{#{name}}}]", bare) == "[]"


@pytest.mark.parametrize("name", [name for name in OPTIONAL if name != "api.version"])
def test_a_missing_value_is_none(name: str, bare: Exchange) -> None:
    assert compile_condition(f"{{#{name} == none}}", no_secret)(bare) is True
    assert compile_condition(f"{{#{name} != none}}", no_secret)(bare) is False
    assert compile_condition(f"{{#{name} is defined}}", no_secret)(bare) is False


@pytest.mark.parametrize("name", [name for name in OPTIONAL if NAMES[name] != ""])
def test_a_value_that_is_there_is_not_none(name: str, exchange: Exchange) -> None:
    assert compile_condition(f"{{#{name} != none}}", no_secret)(exchange) is True
    assert compile_condition(f"{{#{name} is defined}}", no_secret)(exchange) is True


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("reqest.path", "unknown name `reqest`, did you mean `request`?"),
        ("request.heders['x']", "unknown member of `request` `heders`, did you mean `headers`?"),
        ("subscription.application.nam", "did you mean `name`?"),
        ("zzz", "known are api, context, jwt, message, request, response, subscription"),
        ("request", "`request` is no value; name one of method, path"),
        ("request.path.real", "`request.path` is a plain value: it has no `real`"),
        ("request.headers['x']['y']", "`request.headers.x` is a plain value: it has no `y`"),
        ("request.headers[none]", "`None` names no member"),
        ("secrets", "secrets are read by name"),
        ("request.path | uper", "unknown filter `uper`, did you mean `upper`?"),
        ("request.path is defind", "unknown test `defind`, did you mean `defined`?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_template(f"{{#{source}}}", no_secret)
    assert message in str(raised.value)


def test_a_query_of_very_many_parameters_is_read(exchange: Exchange) -> None:
    exchange.request.query = "&".join(f"p{number}={number}" for number in range(5000))
    assert render("{#request.query_params.p4999}", exchange) == "4999"


def test_secrets_are_read_at_load_by_constant_names(exchange: Exchange) -> None:
    values = {"backend": "s3cret", "/kubernetes/db:password": "pa55"}
    template = compile_template("Bearer {#secrets.get('backend')}", values.__getitem__)
    assert template.constant == "Bearer s3cret"
    template = compile_template("{#secrets.get('/kubernetes/db', 'password')}", values.__getitem__)
    assert template.constant == "pa55"
    template = compile_template("{#secrets.get('backend') | upper}", values.__getitem__)
    assert template(exchange) == "S3CRET"


def test_a_secret_that_is_not_there_is_told_by_its_name() -> None:
    with pytest.raises(SecretMissingError, match="`other` is not there"):
        compile_template("{#secrets.get('other')}", no_secret)


@pytest.mark.parametrize(
    "source",
    [
        "secrets.get(request.headers['x'])",
        "secrets.get('a' ~ 'b')",
        "secrets.get()",
        "secrets.get('a', 'b', 'c')",
        "secrets.get(1)",
        "secrets.get('a', default='b')",
        "secrets.get(*['a'])",
        "secrets.get(**{'a': 'b'})",
        "secrets['get']('a')",
        "secrets.values()",
    ],
)
def test_secrets_by_other_than_constant_names_are_refused_at_load(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_template(f"{{#{source}}}", lambda _name: "value")


def test_a_header_that_would_break_the_line_is_refused(exchange: Exchange) -> None:
    exchange.attributes["tier"] = "a\r\nset-cookie: b"
    value = render("{#context.attributes.tier}", exchange)
    with pytest.raises(HeaderError):
        Headers([], []).set("x", value)


def test_the_guide_lists_these_names_and_no_others() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    listed = set()
    for cell in re.findall(r"^\| (`[^|]*`[^|]*) \|", text, re.MULTILINE):
        names = re.findall(r"`([^`]+)`", cell)
        owner = names[0].split(".")[0]
        listed |= {owner + name if name.startswith(".") else name for name in names}
    assert listed >= {"request.method", "request.api_path", "jwt.claims.NAME", "context.plan"}
    values = {"NAME": "x", "/kubernetes/NAME:KEY": "y", "/vault/MOUNT/PATH:KEY": "z"}
    for name in listed:
        compile_template(f"{{#{name}}}", values.__getitem__)


def test_the_guide_lists_every_filter_method_and_test() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert [name for name in sandbox.SANDBOX.filters if f"`{name}`" not in text] == []
    assert [name for name in sandbox.METHODS if f"`.{name}()`" not in text] == []
    behind_is = text[text.index("Behind `is`") :]
    assert [name for name in sandbox.SANDBOX.tests if f"`{name}`" not in behind_is] == []


def test_the_examples_of_the_guide_work(exchange: Exchange) -> None:
    block = GUIDE.read_text(encoding="utf-8").split("```")[1]
    texts = re.findall(r'^([\w-]+): "(.*)"$', block, re.MULTILINE)
    rendered = {name: render(text, exchange) for name, text in texts}
    assert rendered == {"X-Consumer": "mobile", "X-Trace": "orders-", "condition": "false"}
