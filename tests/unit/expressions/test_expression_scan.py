"""Strings to plain parts and expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.expressions.scan import split


def parts(text: str) -> list[tuple[bool, str]]:
    return [(part.is_expression, part.text) for part in split(text)]


@given(st.text().filter(lambda text: "{#" not in text))
def test_plain_text_is_one_part_as_it_was(text: str) -> None:
    assert parts(text) == ([(False, text)] if text else [])


@given(st.lists(st.sampled_from(["{#", "}", "{", "'", '"', "\\", "(", ")", "[", "]", "a", " ", "{#x}"])))
def test_any_text_splits_or_is_an_expression_error(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        found = split(text)
    except ExpressionError:
        return
    assert "".join(part.text for part in found if not part.is_expression) in text or len(found) > 1
    assert all(part.text for part in found)


@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "}", "{", "\u00e9"]), st.sampled_from(["x", "a.b", "'}'"])))
)
def test_plain_parts_and_expressions_come_back_in_order(pairs: list[tuple[str, str]]) -> None:
    text = "".join(f"{plain}{{#{source}}}" for plain, source in pairs)
    expected = [entry for plain, source in pairs for entry in ((False, plain), (True, source)) if entry[1]]
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{#'}'}", [(True, "'}'")]),
        ('{#"}\'"}', [(True, '"}\'"')]),
        (r"{#'\'}'}", [(True, r"'\'}'")]),
        ("{#{'a': {'b': 1}}['a']}", [(True, "{'a': {'b': 1}}['a']")]),
        ("{#a[')']}-{# b }", [(True, "a[')']"), (False, "-"), (True, "b")]),
        ("{{ x }} ${y} }", [(False, "{{ x }} ${y} }")]),
    ],
)
def test_quotes_and_brackets_protect_a_brace(text: str, expected: list[tuple[bool, str]]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize("text", ["{#", "a{#b", "{#'}", "{#(}", "{#[}", "{#{}"])
def test_an_expression_that_does_not_end_is_named_by_its_column(text: str) -> None:
    with pytest.raises(ExpressionError, match=f"column {text.index('{#') + 1} does not end"):
        split(text)


def test_an_empty_expression_is_refused() -> None:
    with pytest.raises(ExpressionError, match="column 3 is empty"):
        split("ab{# }")
