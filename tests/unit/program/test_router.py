"""Hosts and paths to routes."""

import pytest

from gateway_runtime.exchange import ApiInfo
from gateway_runtime.program.api import ApiProgram
from gateway_runtime.program.router import Route, Router
from gateway_runtime.stats import ApiStats


def route(prefix: str, name: str = "") -> Route:
    return Route(prefix, ApiProgram(name or prefix, ApiInfo(name, "n", "", {}), ApiStats()), None)


def router(*entries: tuple[str, str, str]) -> Router:
    made = Router()
    made.load([(host, route(prefix, name)) for host, prefix, name in entries])
    return made


def found(table: Router, host: str, path: str) -> str | None:
    match = table.find(host, path)
    return None if match is None else match.api.key


HOSTS = router(
    ("a.example.com", "/x", "exact"),
    ("*.example.com", "/x", "wildcard"),
    ("*.b.example.com", "/x", "longer wildcard"),
    ("", "/x", "any"),
    ("*.example.com", "/w", "wildcard w"),
    ("", "/o", "any o"),
)


@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        ("a.example.com", "/x", "exact"),
        ("c.example.com", "/x", "wildcard"),
        ("d.c.example.com", "/x", "wildcard"),
        ("d.b.example.com", "/x", "longer wildcard"),
        ("b.example.com", "/x", "wildcard"),
        ("example.com", "/x", "any"),
        ("badexample.com", "/x", "any"),
        ("a.example.com.evil.org", "/x", "any"),
        ("", "/x", "any"),
        ("[::1]", "/x", "any"),
        ("a.example.com", "/w", "wildcard w"),
        ("d.b.example.com", "/w", "wildcard w"),
        ("a.example.com", "/o", "any o"),
        ("a.example.com", "/none", None),
    ],
)
def test_the_narrowest_host_that_has_the_path_wins(host: str, path: str, name: str | None) -> None:
    assert found(HOSTS, host, path) == name


PATHS = router(("", "", "root"), ("", "/a", "a"), ("", "/a/b/c", "abc"), ("", "/ab", "ab"))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "root"),
        ("/z", "root"),
        ("/a", "a"),
        ("/a/", "a"),
        ("/a/b", "a"),
        ("/a/b/c", "abc"),
        ("/a/b/c/", "abc"),
        ("/a/b/c/d/e", "abc"),
        ("/a/b/cd", "a"),
        ("/ab", "ab"),
        ("/abc", "root"),
        ("/a%2Fb", "root"),
    ],
)
def test_the_longest_prefix_of_whole_segments_wins(path: str, name: str) -> None:
    assert found(PATHS, "any.example", path) == name


def test_nothing_matches_where_nothing_is_served() -> None:
    assert found(Router(), "a.example", "/") is None


def test_ten_thousand_apis_are_told_apart() -> None:
    table = router(*[(f"h{n % 7}.example", f"/team{n % 100}/api{n}", str(n)) for n in range(10_000)])
    for n in range(0, 10_000, 37):
        assert found(table, f"h{n % 7}.example", f"/team{n % 100}/api{n}/deep/path") == str(n)
        assert found(table, f"h{n % 7}.example", f"/team{n % 100}/api{n}x") is None
        assert found(table, f"h{(n + 1) % 7}.example", f"/team{n % 100}/api{n}") is None


def test_a_copy_changes_alone() -> None:
    before = router(("a.example", "/a", "a"), ("*.example", "/w", "w"), ("", "/o", "o"))
    after = before.copy()
    for host in ("a.example", "*.example", ""):
        after.add(host, route("/new", "new"))
    assert found(after, "a.example", "/new") == "new"
    assert found(before, "a.example", "/new") is None
    gone = before.find("a.example", "/a")
    assert gone is not None
    after.remove("a.example", gone)
    assert found(after, "a.example", "/a") is None
    assert found(before, "a.example", "/a") == "a"


def test_only_the_route_itself_is_removed() -> None:
    table = router(("a.example", "/a", "a"))
    table.remove("a.example", route("/a", "another"))
    assert found(table, "a.example", "/a") == "a"


def test_a_host_without_routes_leaves_nothing_behind() -> None:
    table = Router()
    for host in ("a.example", "*.example"):
        gone = route("/a")
        table.add(host, gone)
        table.remove(host, gone)
    assert (table.exact, table.wildcards) == ({}, {})
