"""The scalar types of configurations: what they take, and that the CRDs' schema says the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway_runtime.policies.fields import (
    Duration,
    EndToEndHeaderName,
    HeaderName,
    HeaderTemplate,
    Network,
    Size,
    StatusCode,
)


def taken(kind: object, value: object, manifest: bool = True) -> object:
    """What a field of that type holds; None where it refuses the value."""
    try:
        return TypeAdapter(kind).validate_python(value, strict=True, context={"manifest": manifest})
    except ValidationError:
        return None


DURATIONS = [
    ("250ms", 0.25), ("10s", 10.0), ("5m", 300.0), ("1h30m", 5400.0), ("30d", 2_592_000.0), ("0s", 0.0),
    ("1m1ms", 60.001), ("999999999d", 999_999_999 * 86_400.0),
    ("", None), ("10", None), ("s", None), ("10 s", None), ("1.5s", None), ("-1s", None), ("10S", None),
    ("10s\n", None), ("١s", None), ("1w", None), ("9999999999s", None), (10, None),
    (None, None), (True, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_a_duration_is_numbers_with_units(text: object, seconds: float | None) -> None:
    assert taken(Duration, text) == seconds


SIZES = [
    ("512", 512), ("0", 0), ("8Ki", 8192), ("1Mi", 2**20), ("2Gi", 2**31), ("3k", 3000), ("10M", 10**7),
    ("2G", 2 * 10**9), (4096, 4096), ("9" * 15, int("9" * 15)),
    ("", None), ("Ki", None), ("8 Ki", None), ("8ki", None), ("8K", None), ("1.5Mi", None),
    ("-1", None), ("1Ti", None), ("9" * 16, None), ("8Ki\n", None), ("٨", None), (1.5, None), (True, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_a_size_is_bytes_with_a_unit(text: object, size: int | None) -> None:
    assert taken(Size, text) == size


@pytest.mark.parametrize(("kind", "cases"), [(Duration, DURATIONS), (Size, SIZES)], ids=["Duration", "Size"])
def test_the_schema_takes_the_texts_that_the_gateway_takes(
    kind: object, cases: list[tuple[object, object]]
) -> None:
    pattern = re.compile(TypeAdapter(kind).json_schema()["pattern"].removesuffix("$"))
    for text, value in cases:
        if isinstance(text, str):
            assert (pattern.fullmatch(text) is not None) == (value is not None), text


@pytest.mark.parametrize("name", ["X-A", "x", "!#$%&'*+-.^_`|~09azAZ", "a" * 256])
def test_a_header_name_is_a_token(name: str) -> None:
    assert taken(HeaderName, name) == name
    assert taken(EndToEndHeaderName, name) == name


@given(st.text(max_size=4))
def test_no_other_text_is_a_header_name(text: str) -> None:
    token = re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", text, re.ASCII) is not None
    assert (taken(HeaderName, text) == text) is token


def test_a_field_of_the_connection_is_a_name_but_none_that_may_be_changed() -> None:
    assert taken(HeaderName, "Content-Length") == "Content-Length"
    assert taken(EndToEndHeaderName, "Content-Length") is None
    assert taken(EndToEndHeaderName, "Content-Length-X") == "Content-Length-X"


@given(st.text(max_size=6))
def test_a_plain_header_value_is_taken_exactly_where_it_can_go_on_the_wire(text: str) -> None:
    fine = all(c == "\t" or 0x20 <= ord(c) <= 0x7E or 0x80 <= ord(c) <= 0xFF for c in text)
    assert (taken(HeaderTemplate, text) == text) is (fine or "{#" in text)


def test_a_header_value_with_an_expression_is_left_to_the_request() -> None:
    text = "{#'€'}"
    assert taken(HeaderTemplate, text) == text


@pytest.mark.parametrize("status", [200, 599])
def test_a_status_is_a_final_one(status: int) -> None:
    assert taken(StatusCode, status) == status


@pytest.mark.parametrize("status", [199, 600, "200", 200.0, True])
def test_what_is_no_final_status_is_refused(status: object) -> None:
    assert taken(StatusCode, status) is None


def test_a_network_is_kept_as_it_was_written() -> None:
    assert taken(Network, "192.0.2.77/24") == "192.0.2.77/24"
    assert taken(Network, "192.0.2.0/255.255.255.0") is None
