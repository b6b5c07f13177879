"""Digests of API keys with a pepper."""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import Literal

import pytest

from gateway_runtime.snapshot.keys import check_pepper, key_digest, masked, scram_label

KEY = sha256(b"key-of-mobile-0001").hexdigest()
PARTS: tuple[Literal["stored", "server"], ...] = ("stored", "server")


def test_the_digest_is_blake2b_of_the_sha256_keyed_with_the_pepper() -> None:
    expected = blake2b(bytes.fromhex(KEY), key=b"p" * 32, digest_size=32).hexdigest()
    assert key_digest(KEY, b"p" * 32) == expected


def test_another_pepper_gives_another_digest() -> None:
    assert len({key_digest(KEY, b"p" * 32), key_digest(KEY, b"q" * 32), KEY}) == 3


@pytest.mark.parametrize("length", [0, 15, 65])
def test_a_pepper_of_no_use_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"the pepper has {length} bytes"):
        check_pepper(b"p" * length)


@pytest.mark.parametrize("size", [32, 64])
def test_a_masked_value_is_got_back_with_the_pepper_and_the_label_alone(size: int) -> None:
    value = bytes(range(size))
    hidden = masked(value, b"p" * 32, "label")
    assert hidden != value
    assert masked(hidden, b"p" * 32, "label") == value
    assert value not in (masked(hidden, b"q" * 32, "label"), masked(hidden, b"p" * 32, "other"))


def test_without_a_pepper_nothing_is_masked() -> None:
    assert masked(b"stored-key", b"", "label") == b"stored-key"


def test_each_value_of_a_verifier_has_a_mask_of_its_own() -> None:
    labels = {
        scram_label(mechanism, part, salt, digest)
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        for part in PARTS
        for salt in ("c2FsdA==", "b3RoZXI=")
        for digest in ("00ff", "ff00")
    }
    assert len({masked(bytes(32), b"p" * 32, label) for label in labels}) == 16
