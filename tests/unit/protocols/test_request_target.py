"""Targets and Hosts: one meaning or none."""

import pytest

from gateway_runtime.exchange import Request
from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.request import parse_request
from gateway_runtime.protocols.http1.target import normalise_path, parse_authority


def get(target: bytes, *lines: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> Request:
    lines = lines or (b"Host: a.example",)
    start = method + b" " + target + b" " + version
    return parse_request(b"\r\n".join((start, *lines)), 8192, 100).request


def refused(target: bytes, *lines: bytes, method: bytes = b"GET") -> str:
    with pytest.raises(ProtocolError) as caught:
        get(target, *lines, method=method)
    return caught.value.key


PATHS = {
    b"/": "/",
    b"/a/b": "/a/b",
    b"/a/": "/a/",
    b"//a///b": "/a/b",
    b"/a/./b": "/a/b",
    b"/a/../b": "/b",
    b"/a/b/..": "/a/",
    b"/a/b/.": "/a/b/",
    b"/../../b": "/b",
    b"/..": "/",
    b"/.": "/",
    b"/a//../b": "/b",
    b"/%2e%2E/b": "/b",
    b"/a/%2e%2e/%2e%2e/%2e%2e/etc/passwd": "/etc/passwd",
    b"/%41%7e%2d": "/A~-",
    b"/%2f": "/%2F",
    b"/a%2f..%2fb": "/a%2F..%2Fb",
    b"/%5c..%5c": "/%5C..%5C",
    b"/%252e%252e/b": "/%252e%252e/b",
    b"/...": "/...",
    b"/.well-known/x": "/.well-known/x",
    b"/a/.b/..c": "/a/.b/..c",
    b"/a;v=1/b": "/a;v=1/b",
    b"/%e2%82%ac": "/%E2%82%AC",
}


@pytest.mark.parametrize(("target", "path"), PATHS.items())
def test_a_path_has_one_normal_form(target: bytes, path: str) -> None:
    request = get(target)
    assert (request.path, request.api_path, request.query) == (path, path, "")


QUERIES = {
    b"/a?": ("/a", ""),
    b"/a?b=%41&c=/../d": ("/a", "b=%41&c=/../d"),
    b"/a/..?..": ("/", ".."),
    b"/a?b?c": ("/a", "b?c"),
    b"/a?//": ("/a", "//"),
}


@pytest.mark.parametrize(("target", "parts"), QUERIES.items())
def test_a_query_stays_as_it_came(target: bytes, parts: tuple[str, str]) -> None:
    request = get(target)
    assert (request.path, request.query) == parts


BROKEN_TARGETS = [
    b"/%", b"/%4", b"/%zz", b"/%4g", b"/?%", b"/%00", b"/a?b=%00", b"/a%u0041", b"/a#b", b'/"', b"/<", b"/>",
    b"/a\\b", b"/`", b"/\xe2\x82\xac", b"/a\x7f", b"a", b"a/b", b"*", b"?a", b"ftp://a.example/", b"http:/a",
    b"a.example:80", b"http://", b"http:///a", b"http://u@a.example/", b"http://a b/",
]  # fmt: skip


@pytest.mark.parametrize("target", BROKEN_TARGETS)
def test_a_target_that_is_no_path_and_no_http_uri_is_malformed(target: bytes) -> None:
    assert refused(target) == "REQUEST_MALFORMED"


ABSOLUTE = {
    b"http://a.example/b?c": ("/b", "c"),
    b"HTTP://A.example/b": ("/b", ""),
    b"https://a.example": ("/", ""),
    b"http://a.example?c": ("/", "c"),
    b"http://a.example//b/../c": ("/c", ""),
}


@pytest.mark.parametrize(("target", "parts"), ABSOLUTE.items())
def test_an_absolute_target_is_taken_apart(target: bytes, parts: tuple[str, str]) -> None:
    request = get(target)
    assert (request.path, request.query, request.host) == (*parts, "a.example")


@pytest.mark.parametrize("host", [b"b.example", b"a.example:81", b"", b"a.example."])
def test_an_absolute_target_and_a_host_that_disagree_are_malformed(host: bytes) -> None:
    assert refused(b"http://a.example/", b"Host: " + host) == "REQUEST_MALFORMED"


def test_an_absolute_target_gives_the_host_of_http_1_0() -> None:
    request = get(b"http://a.example/", b"X-A: 1", version=b"HTTP/1.0")
    assert request.host == "a.example"


def test_options_of_the_server_is_asked_at_the_root() -> None:
    assert get(b"*", method=b"OPTIONS").path == "/"


def test_http_1_1_needs_a_host() -> None:
    assert refused(b"/", b"X-A: 1") == "REQUEST_MALFORMED"


def test_http_1_0_needs_no_host() -> None:
    request = get(b"/", b"X-A: 1", version=b"HTTP/1.0")
    assert (request.host, request.authority) == ("", "")


@pytest.mark.parametrize("second", [b"Host: a.example", b"host: b.example", b"HOST:"])
def test_two_hosts_are_malformed(second: bytes) -> None:
    assert refused(b"/", b"Host: a.example", second) == "REQUEST_MALFORMED"


AUTHORITIES = {
    b"A.Example": "a.example",
    b"a.example:8080": "a.example",
    b"a.example.": "a.example",
    b"a.example:": "a.example",
    b"127.0.0.1:80": "127.0.0.1",
    b"[::1]": "[::1]",
    b"[2001:DB8::1]:443": "[2001:db8::1]",
    b"a_b.example": "a_b.example",
}


@pytest.mark.parametrize(("value", "host"), AUTHORITIES.items())
def test_an_authority_gives_its_host_in_lower_case(value: bytes, host: str) -> None:
    authority = parse_authority(value)
    assert (authority.text, authority.host) == (value.decode(), host)


BROKEN_AUTHORITIES = [
    b"", b":80", b"a b", b"a/b", b"u@a", b"a:b", b"a:-1", b"a:65536", b"a:123456", b"[::1", b"::1",
    b"[g]", b"a\xe9", b"a" * 261, b"a:80:80", b"http://a", b"a?b", b"a#b", b"%",
]  # fmt: skip


@pytest.mark.parametrize("value", BROKEN_AUTHORITIES)
def test_a_host_that_is_none_is_malformed(value: bytes) -> None:
    assert refused(b"/", b"Host: " + value) == "REQUEST_MALFORMED"


@pytest.mark.parametrize("path", ["/a/../../b//c/%2e", "/%2E%2e/%41", "/a/./", "//", "/a/..//"])
def test_a_normal_form_is_its_own(path: str) -> None:
    once = normalise_path(path)
    assert normalise_path(once) == once
