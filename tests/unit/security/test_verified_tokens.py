"""The memory of verified tokens is bounded, and true to time and keys."""

from __future__ import annotations

from gateway_runtime.security.verified import MAX_BYTES, MAX_ENTRIES, VerifiedTokens


def test_a_token_is_found_until_it_ends_and_with_its_keys_only() -> None:
    tokens = VerifiedTokens()
    tokens.keep(b"a", {"sub": "a"}, 100, until=10.0, version=1)
    assert tokens.find(b"a", 9.9, 1) == {"sub": "a"}
    assert tokens.find(b"a", 10.0, 1) is None
    assert tokens.find(b"a", 9.9, 2) is None
    assert tokens.find(b"b", 9.9, 1) is None


def test_the_tokens_not_used_for_longest_give_way_at_the_limit_of_entries() -> None:
    tokens = VerifiedTokens()
    for number in range(MAX_ENTRIES):
        tokens.keep(b"%d" % number, {}, 1, 10.0, 1)
    tokens.find(b"0", 0.0, 1)
    tokens.keep(b"new", {}, 1, 10.0, 1)
    assert len(tokens) == MAX_ENTRIES
    assert tokens.find(b"0", 0.0, 1) is not None
    assert tokens.find(b"1", 0.0, 1) is None


def test_large_tokens_are_bounded_in_bytes() -> None:
    tokens = VerifiedTokens()
    for number in range(1000):
        tokens.keep(b"%d" % number, {}, 16384, 10.0, 1)
    assert len(tokens) == MAX_BYTES // 16384


def test_a_token_kept_twice_takes_its_room_once() -> None:
    tokens = VerifiedTokens()
    for _ in range(1000):
        tokens.keep(b"a", {}, 16384, 10.0, 1)
        tokens.keep(b"b", {}, 16384, 10.0, 1)
    assert len(tokens) == 2
