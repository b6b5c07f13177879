"""A client's patterns as the cluster gets them."""

import pytest

from gateway_runtime.kafka.regexes import (
    RegexError,
    Regexes,
    Subscription,
    alternatives,
    compiled,
    matching,
    prefixed,
    unprefixed,
)


@pytest.mark.parametrize("pattern", ["a", "a|b", "(?i)a.*", "", "[a-z]+"])
def test_a_pattern_behind_a_prefix_matches_what_it_matched_with_the_prefix_before(pattern: str) -> None:
    names = ["a", "b", "A1", "", "zz", "1"]
    sent = prefixed("t.x-", pattern)
    assert matching(sent, [f"t.x-{name}" for name in names]) == [
        f"t.x-{name}" for name in matching(pattern, names)
    ]
    assert matching(sent, [*names, "tax-a", "t.y-a"]) == []
    assert unprefixed("t.x-", sent) == pattern


def test_a_pattern_that_is_not_of_the_prefix_is_not_told() -> None:
    assert unprefixed("t.", "u\\.(?:a)") is None


@pytest.mark.parametrize("pattern", ["(", "a)|(b", "a\\Qb", "*", "(?P<x", "a" * 5000, "((a{100}){100}){100}"])
def test_what_is_no_pattern_or_too_large_a_one_is_refused(pattern: str) -> None:
    with pytest.raises(RegexError):
        prefixed("t.", pattern)


def test_alternatives_match_the_names_and_nothing_else() -> None:
    names = ["a.b", "a-b", "c"]
    assert matching(alternatives(names), [*names, "aXb", "cc", ""]) == names
    assert matching(alternatives([]), [*names, ""]) == []


def test_what_is_remembered_has_an_end() -> None:
    regexes = Regexes()
    for number in range(1500):
        regexes.keep("g", str(number), Subscription("a", "t.a", frozenset()))
    assert len(regexes._members) == 1000
    assert compiled.cache_info().maxsize == 64
