"""The digest of an API key as a snapshot carries it, made by the operator and by the runtime alike.

Without a pepper it is the SHA-256 of the key. With one it is BLAKE2b of that, keyed with the pepper (RFC 7693
section 2.9), so that who can read a snapshot but not the pepper cannot try keys against it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

MIN_PEPPER: Final = 16
MAX_PEPPER: Final = blake2b.MAX_KEY_SIZE
_SIZE: Final = 32


def key_digest(sha256_hex: str, pepper: bytes) -> str:
    """The digest of a key for `Subscription.key_digests`, from the key's SHA-256 in hexadecimal."""
    return peppered(bytes.fromhex(sha256_hex), pepper).hex()


def peppered(sha256_digest: bytes, pepper: bytes) -> bytes:
    """The digest of a key from its SHA-256."""
    return blake2b(sha256_digest, key=pepper, digest_size=_SIZE).digest()


def check_pepper(pepper: bytes) -> bytes:
    """The pepper itself; raises ValueError where its length is of no use."""
    if not MIN_PEPPER <= len(pepper) <= MAX_PEPPER:
        raise ValueError(f"the pepper has {len(pepper)} bytes: it must have {MIN_PEPPER} to {MAX_PEPPER}")
    return pepper
