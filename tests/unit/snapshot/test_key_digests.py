"""Digests of API keys with a pepper."""

from __future__ import annotations

from hashlib import blake2b, sha256

import pytest

from gateway_runtime.snapshot.keys import check_pepper, key_digest

KEY = sha256(b"key-of-mobile-0001").hexdigest()


def test_the_digest_is_blake2b_of_the_sha256_keyed_with_the_pepper() -> None:
    expected = blake2b(bytes.fromhex(KEY), key=b"p" * 32, digest_size=32).hexdigest()
    assert key_digest(KEY, b"p" * 32) == expected


def test_another_pepper_gives_another_digest() -> None:
    assert len({key_digest(KEY, b"p" * 32), key_digest(KEY, b"q" * 32), KEY}) == 3


@pytest.mark.parametrize("length", [0, 15, 65])
def test_a_pepper_of_no_use_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"the pepper has {length} bytes"):
        check_pepper(b"p" * length)
