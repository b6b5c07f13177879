"""Heads to fields to copy and fields with a meaning: the definition, and the same in C where it is built."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_runtime.protocols.http1 import scan
from gateway_runtime.protocols.http1.fields import CONNECTION, HOST, resolve

COMPILED = "gateway_runtime.protocols.http1._scan"
BUILT = [importlib.import_module(COMPILED)] if find_spec(COMPILED) else []
SCANNERS = [scan, *BUILT]

PIECES = st.sampled_from(
    [b"GET / HTTP/1.1", b"\r\n", b"\r", b"\n", b":", b": ", b"Host", b"X-A", b"x-a", b"a", b"\t", b" ", b"\0",
     b"\xff", b"(", b"Content-Length: 1", b"X-" + b"n" * 80]
)  # fmt: skip
HEADS = st.one_of(st.binary(max_size=80), st.lists(PIECES, max_size=24).map(b"".join))


@pytest.mark.parametrize("scanner", SCANNERS)
def test_fields_with_a_meaning_are_set_apart_in_order(scanner) -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX-Own: 1\r\nConnection: close\r\nACCEPT:*/*\r\nx-own:2"
    assert scanner.scan_head(head, resolve) == (
        b"GET / HTTP/1.1",
        [b"x-own", b"accept", b"x-own"],
        [b"X-Own: 1", b"ACCEPT:*/*", b"x-own:2"],
        [HOST, CONNECTION],
        [b"Host: a", b"Connection: close"],
    )


@pytest.mark.parametrize("scanner", SCANNERS)
@pytest.mark.parametrize(
    "line",
    [b"", b":", b"a", b"a b: c", b"a : b", b" a: b", b"\ta: b", b"a\0: b", b"a: \0", b"a: b\r", b"a: b\nc: d",
     b"a: \x7f", b"\xe4: b", b"(a): b"],
)  # fmt: skip
def test_a_line_that_is_no_field_line_is_refused(scanner, line) -> None:
    assert scanner.scan_head(b"GET / HTTP/1.1\r\n" + line, resolve) is None


@given(HEADS)
def test_all_scanners_say_the_same_of_any_bytes(head) -> None:
    results = [scanner.scan_head(head, resolve) for scanner in SCANNERS]
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("scanner", SCANNERS)
def test_more_names_than_can_be_remembered_are_still_told_apart(scanner) -> None:
    for index in range(2000):
        name = b"X-Many-%d" % index
        scanned = scanner.scan_head(b"GET / HTTP/1.1\r\n" + name + b": v", resolve)
        assert scanned is not None
        assert scanned[1] == [name.lower()]


TARGETS = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"/", b"//", b".", b"?", b"%", b"a", b"%41", b"\xff", b" "]), max_size=12).map(
        b"".join
    ),
)


@given(TARGETS)
def test_all_scanners_see_the_same_in_a_target(target) -> None:
    assert len({scanner.scan_target(target) for scanner in SCANNERS}) == 1


@pytest.mark.parametrize("scanner", SCANNERS)
@pytest.mark.parametrize(
    ("target", "shape"),
    [(b"/a", 0), (b"/a?b=/./%20", 3 << 2 | 1), (b"/%41", 3), (b"/a/./b", 2), (b"//a", 2), (b"/a?", 3 << 2),
     (b"/a b", -1), (b"/\x80", -1)],
)  # fmt: skip
def test_a_target_tells_whether_its_path_may_need_work(scanner, target, shape) -> None:
    assert scanner.scan_target(target) == shape
