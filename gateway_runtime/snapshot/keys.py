"""What a snapshot carries in place of an API key, made by the operator and by the runtime alike.

Without a pepper the digest is the SHA-256 of the key. With one it is BLAKE2b of that, keyed with the pepper
(RFC 7693 section 2.9), so that who can read a snapshot but not the pepper cannot try keys against it. What
checks a SCRAM proof (`ScramVerifier`) must come back as it was: it is masked with bytes that only the pepper
gives.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import Final, Literal

SCRAM_MECHANISMS: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")
"""The mechanisms that each API key of a Kafka API has a verifier for, in this order."""

MIN_PEPPER: Final = 16
MAX_PEPPER: Final = blake2b.MAX_KEY_SIZE
_SIZE: Final = 32
_SALT_SIZE: Final = 16


def key_digest(sha256_hex: str, pepper: bytes) -> str:
    """The digest of a key for `Subscription.key_digests`, from the key's SHA-256 in hexadecimal."""
    return peppered(bytes.fromhex(sha256_hex), pepper).hex()


def peppered(sha256_digest: bytes, pepper: bytes) -> bytes:
    """The digest of a key from its SHA-256."""
    return blake2b(sha256_digest, key=pepper, digest_size=_SIZE).digest()


def masked(value: bytes, pepper: bytes, label: str) -> bytes:
    """A value of at most 64 bytes, XOR BLAKE2b of the label keyed with the pepper: twice gives it back.

    No pepper: the value itself. A label must be used for one value alone; `scram_label` makes it.
    """
    if not pepper:
        return value
    mask = blake2b(label.encode(), key=pepper, digest_size=len(value)).digest()
    return (int.from_bytes(value) ^ int.from_bytes(mask)).to_bytes(len(value))


def scram_salt(subscription: str) -> bytes:
    """The salt of all verifiers of a subscription (`namespace/name`).

    It comes of the name alone: a gateway shows the same of a name that nobody has, and tells nothing by it.
    """
    return sha256(f"scram {subscription}".encode()).digest()[:_SALT_SIZE]


def scram_label(mechanism: str, part: Literal["stored", "server"], salt: str, digest: str) -> str:
    """The label of a key of a verifier; `digest` is that of the API key as `Subscription.key_digests` has it.

    The verifiers of a subscription are in the order of its digests, and of one digest in `SCRAM_MECHANISMS`.
    The salt (base64, as in the verifier) keeps the masks of subscriptions with the same API key apart.
    """
    return f"{mechanism} {part} {salt} {digest}"


def check_pepper(pepper: bytes) -> bytes:
    """The pepper itself; raises ValueError where its length is of no use."""
    if not MIN_PEPPER <= len(pepper) <= MAX_PEPPER:
        raise ValueError(f"the pepper has {len(pepper)} bytes: it must have {MIN_PEPPER} to {MAX_PEPPER}")
    return pepper
