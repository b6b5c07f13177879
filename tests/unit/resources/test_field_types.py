"""Durations and sizes as users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway_runtime.policies.fields import Duration, Size, parse_duration, parse_size
from penstock_operator.resources.schema import format_duration

DURATION, SIZE = TypeAdapter(Duration), TypeAdapter(Size)


@given(st.integers(0, 10**9 - 1))
def test_a_duration_means_the_same_after_it_is_written(milliseconds: int) -> None:
    seconds = milliseconds / 1000

    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=1e-6)


@given(st.text() | st.text("0123456789smhdKMGi "))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(DURATION.validate_python(text), float)
    except ValidationError as error:
        assert "expected a duration" in str(error)


@given(st.text() | st.text("0123456789kKMGi "))
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(SIZE.validate_python(text), int)
    except ValidationError as error:
        assert "expected a size" in str(error)


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("10s", 10.0), ("1h30m", 5400.0), ("30d", 2592000.0)]
)
def test_durations_have_units(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(("text", "size"), [("512", 512), ("8Ki", 8192), ("2M", 2000000), ("1Gi", 2**30)])
def test_sizes_have_units(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_a_bare_number_is_a_duration_for_programs_but_not_in_a_manifest() -> None:
    assert DURATION.validate_python(5) == 5.0
    with pytest.raises(ValidationError, match="expected a duration such as"):
        DURATION.validate_python(5, context={"manifest": True})
