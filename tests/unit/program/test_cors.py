"""CORS: preflights are answered, responses marked for the origins that may read them."""

import pytest

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Reply, Request
from gateway_runtime.program.cors import CorsProgram
from gateway_runtime.snapshot.types import Cors

SHOP = "https://shop.example"
RULES = Cors(allow_origins=(SHOP,), allow_methods=("GET", "PUT"), allow_headers=("x-a", "x-b"))


def request(method: str, **headers: str) -> Request:
    fields = Headers([], [])
    for name, value in headers.items():
        fields.add(name.replace("_", "-"), value)
    return Request(method, "/", "", "HTTP/1.1", fields)


def preflight(rules: Cors, **headers: str) -> dict[str, str]:
    asked = {"origin": SHOP, "access_control_request_method": "PUT"} | headers
    reply = CorsProgram(rules).preflight(request("OPTIONS", **asked))
    assert isinstance(reply, Reply)
    assert (reply.status, reply.key, reply.body) == (204, "", b"")
    return {name: value for name, value in reply.headers or () if name != "vary"}


def marked(rules: Cors, origin: str | None = SHOP, **backend: str) -> list[tuple[str, str]]:
    given = {} if origin is None else {"origin": origin}
    exchange = Exchange(request("GET", **given), ApiInfo("a", "n", "", {}))
    headers = request("GET", **backend).headers
    CorsProgram(rules).mark(exchange, headers)
    return sorted(headers.items())


def test_a_preflight_is_told_what_is_allowed() -> None:
    assert preflight(RULES) == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "x-a, x-b",
    }


def test_a_preflight_of_a_foreign_origin_is_told_nothing() -> None:
    assert preflight(RULES, origin="https://evil.example") == {}


@pytest.mark.parametrize("origin", ["https://shop.example.evil.org", "http://shop.example", "null", ""])
def test_an_origin_is_compared_whole(origin: str) -> None:
    assert preflight(RULES, origin=origin) == {}
    assert marked(RULES, origin) == [("vary", "origin")]


def test_stars_allow_what_is_asked_for() -> None:
    rules = Cors(allow_methods=("*",), allow_headers=("*",))
    headers = preflight(rules, access_control_request_method="DELETE", access_control_request_headers="x-z")
    assert headers == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "DELETE",
        "access-control-allow-headers": "x-z",
    }


def test_credentials_and_age_are_told() -> None:
    headers = preflight(Cors(allow_origins=(SHOP,), allow_credentials=True, max_age=600.0))
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-max-age"] == "600"


def test_credentials_need_the_origin_by_name() -> None:
    rules = Cors(allow_credentials=True)
    assert preflight(rules)["access-control-allow-origin"] == SHOP
    assert ("access-control-allow-origin", SHOP) in marked(rules)
    assert ("vary", "origin") in marked(rules)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"origin": SHOP, "access_control_request_method": "PUT"}),
        ("OPTIONS", {"origin": SHOP}),
        ("OPTIONS", {"access_control_request_method": "PUT"}),
    ],
)
def test_another_request_is_no_preflight(method: str, headers: dict[str, str]) -> None:
    assert CorsProgram(RULES).preflight(request(method, **headers)) is None


def test_a_response_is_marked_for_its_origin() -> None:
    rules = Cors(allow_origins=(SHOP,), expose_headers=("x-total", "x-page"))
    assert marked(rules) == [
        ("access-control-allow-origin", SHOP),
        ("access-control-expose-headers", "x-total, x-page"),
        ("vary", "origin"),
    ]


def test_a_response_for_any_origin_does_not_vary() -> None:
    assert marked(Cors()) == [("access-control-allow-origin", "*")]


def test_a_response_without_an_origin_still_varies() -> None:
    assert marked(RULES, None) == [("vary", "origin")]


def test_the_gateway_decides_not_the_backend() -> None:
    backend = {"access_control_allow_origin": "*", "vary": "accept"}
    assert marked(RULES, "https://evil.example", **backend) == [("vary", "accept"), ("vary", "origin")]


def test_credentials_that_only_the_backend_allows_are_not() -> None:
    assert marked(RULES, access_control_allow_credentials="true") == [
        ("access-control-allow-origin", SHOP),
        ("vary", "origin"),
    ]
