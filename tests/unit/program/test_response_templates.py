"""An error reply to what the client gets: the API's template for its key and Accept, or plain JSON."""

import json

import pytest

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Reply, Request
from gateway_runtime.program.program import compile_program
from gateway_runtime.program.templates import Templates, render_error
from gateway_runtime.snapshot.types import ResponseTemplate

JSON = "application/json"
HTML = "text/html"
ANY = "*/*"
REPLY = Reply(401, "API_KEY_MISSING", "No key.", headers=[("retry-after", "1")])


@pytest.fixture
def templates(section, snapshot, surroundings):
    def make(**by_key: dict[str, ResponseTemplate]) -> Templates:
        program = compile_program(snapshot(section("a", response_templates=by_key)), surroundings)
        assert program.errors(program.apis) == {}
        return program.apis["shop/a"].templates

    return make


def render(templates: Templates, accept: str | None = None, reply: Reply = REPLY) -> Reply:
    headers = Headers([], [])
    if accept is not None:
        headers.add("accept", accept)
    exchange = Exchange(Request("GET", "/a", "", "HTTP/1.1", headers), ApiInfo("a", "n", "", {}))
    return render_error(reply, templates, exchange)


def body(media_type: str) -> ResponseTemplate:
    return ResponseTemplate(body=media_type)


def test_an_error_is_json_with_key_message_and_status() -> None:
    reply = render({})
    assert reply.status == 401
    assert reply.headers == [("retry-after", "1"), ("content-type", JSON)]
    assert json.loads(reply.body) == {"key": "API_KEY_MISSING", "message": "No key.", "status": 401}


def test_a_template_replaces_status_headers_and_body(templates) -> None:
    given = ResponseTemplate(
        status=403, headers={"Retry-After": "9", "X-A": "{#request.method}"}, body="<no>"
    )
    reply = render(templates(API_KEY_MISSING={HTML: given}))
    assert (reply.status, reply.key, reply.body) == (403, "API_KEY_MISSING", b"<no>")
    assert reply.headers == [("content-type", HTML), ("Retry-After", "9"), ("X-A", "GET")]


def test_a_template_without_a_status_keeps_the_errors_own(templates) -> None:
    assert render(templates(API_KEY_MISSING={HTML: body("x")})).status == 401


def test_a_template_may_set_its_own_content_type(templates) -> None:
    given = ResponseTemplate(headers={"Content-Type": "text/plain"}, body="x")
    reply = render(templates(DEFAULT={ANY: given}))
    assert reply.headers == [("retry-after", "1"), ("Content-Type", "text/plain")]


def test_a_template_may_hold_expressions(templates) -> None:
    given = ResponseTemplate(body="no key for {#request.path}")
    assert render(templates(API_KEY_MISSING={JSON: given})).body == b"no key for /a"


def test_the_default_is_for_every_other_key(templates) -> None:
    compiled = templates(API_KEY_MISSING={ANY: body("own")}, DEFAULT={ANY: body("default")})
    assert render(compiled).body == b"own"
    assert render(compiled, reply=Reply(404, "OTHER", "")).body == b"default"


def test_a_template_of_another_key_does_not_apply(templates) -> None:
    reply = render(templates(API_KEY_INVALID={ANY: body("x")}))
    assert json.loads(reply.body)["key"] == "API_KEY_MISSING"


ACCEPTS = [
    (None, JSON),
    ("*/*", JSON),
    ("text/html", HTML),
    ("TEXT/HTML", HTML),
    ("text/*", HTML),
    ("application/json;q=0.5, text/html", HTML),
    ("application/json;q=0.5, text/html;q=0.4", JSON),
    ("text/html;q=0.4, application/json;q=0.5", JSON),
    ("image/png, text/html;level=1;q=0.1", HTML),
    ("image/png, */*;q=0.1", JSON),
    ("text/html;q=0, application/json", JSON),
    ("text/html;q=0, */*", JSON),
    ("application/json;q=0, */*", HTML),
]


@pytest.mark.parametrize(("accept", "media_type"), ACCEPTS)
def test_accept_picks_the_media_type(templates, accept: str | None, media_type: str) -> None:
    compiled = templates(API_KEY_MISSING={JSON: body(JSON), HTML: body(HTML)})
    assert render(compiled, accept).body == media_type.encode()


@pytest.mark.parametrize(
    "accept", ["image/png", "text/html;q=0", "*/*;q=0", "text/html;q=x", "text/html;q=nan"]
)
def test_what_no_template_serves_is_plain_json(templates, accept: str) -> None:
    compiled = templates(API_KEY_MISSING={HTML: body(HTML)})
    assert json.loads(render(compiled, accept).body)["key"] == "API_KEY_MISSING"


def test_the_template_of_any_type_serves_what_no_other_does(templates) -> None:
    compiled = templates(API_KEY_MISSING={HTML: body(HTML), ANY: body("any")})
    assert render(compiled, "image/png").body == b"any"
    assert render(compiled, "text/html").body == HTML.encode()
    assert render(compiled).body == b"any"
