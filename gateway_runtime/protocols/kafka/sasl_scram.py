"""SCRAM (RFC 5802, RFC 7677) as both ends know it: the grammar of its messages and what they compute.

Kafka's kind (KIP-84): no channel binding, no authorization identity, no extensions; names and passwords are
taken as they are, in UTF-8.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Final

HASHES: Final = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
"""The mechanisms, by the hash that each stands on."""

KEY_BYTES: Final = {name: hashlib.new(kind).digest_size for name, kind in HASHES.items()}
"""How long keys and signatures of each mechanism are."""

GS2_HEADER: Final = b"n,,"
CHANNEL_BINDING: Final = b64encode(GS2_HEADER)

_NONCE: Final = rb"[!-+\--~]{1,1024}"
_BASE64: Final = rb"[A-Za-z0-9+/]+={0,2}"
_CLIENT_FIRST: Final = re.compile(rb"n,,(n=([^,\0]+),r=(%s))" % _NONCE)
_SERVER_FIRST: Final = re.compile(rb"r=(%s),s=(%s),i=([1-9][0-9]{0,9})" % (_NONCE, _BASE64))
_CLIENT_FINAL: Final = re.compile(rb"(c=%s,r=(%s)),p=(%s)" % (CHANNEL_BINDING, _NONCE, _BASE64))
_SERVER_FINAL: Final = re.compile(rb"v=(%s)" % _BASE64)
_ESCAPE: Final = re.compile(r"=(2C|3D)?")


class ScramError(ValueError):
    """A message that is none of the exchange's."""


@dataclass(frozen=True, slots=True)
class ClientFirst:
    """Who wants to be let in; `bare` is the part that is signed."""

    bare: bytes
    name: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class ServerFirst:
    """What the client needs for its proof."""

    nonce: bytes
    salt: bytes
    iterations: int

    def encode(self) -> bytes:
        """The message as it goes on the wire."""
        return b"r=%s,s=%s,i=%d" % (self.nonce, b64encode(self.salt), self.iterations)


@dataclass(frozen=True, slots=True)
class ClientFinal:
    """The client's proof; `unproved` is the part that is signed."""

    unproved: bytes
    nonce: bytes
    proof: bytes = field(repr=False)


def parse_client_first(message: bytes) -> ClientFirst:
    """Raises ScramError for another message, one with channel binding, and one with extensions."""
    match = _CLIENT_FIRST.fullmatch(message)
    if match is None:
        raise ScramError("no client-first-message without extensions")
    return ClientFirst(match[1], plain_name(match[2]), match[3])


def parse_server_first(message: bytes) -> ServerFirst:
    """Raises ScramError for another message, and for one with extensions."""
    match = _SERVER_FIRST.fullmatch(message)
    if match is None:
        raise ScramError("no server-first-message without extensions")
    return ServerFirst(match[1], _decoded(match[2]), int(match[3]))


def parse_client_final(message: bytes) -> ClientFinal:
    """Raises ScramError for another message, another channel binding than none, and extensions."""
    match = _CLIENT_FINAL.fullmatch(message)
    if match is None:
        raise ScramError("no client-final-message without extensions")
    return ClientFinal(match[1], match[2], _decoded(match[3]))


def parse_server_final(message: bytes) -> bytes:
    """The server's signature. Raises ScramError for another message, errors included."""
    match = _SERVER_FINAL.fullmatch(message)
    if match is None:
        raise ScramError("no server-final-message with a signature")
    return _decoded(match[1])


def escaped_name(name: str) -> bytes:
    """A name as messages carry it (RFC 5802 section 5.1)."""
    return name.replace("=", "=3D").replace(",", "=2C").encode()


def fresh_nonce() -> bytes:
    """192 random bits as text."""
    return secrets.token_urlsafe(24).encode()


def sign(mechanism: str, key: bytes, message: bytes) -> bytes:
    """HMAC with the mechanism's hash."""
    return hmac.digest(key, message, HASHES[mechanism])


def digest(mechanism: str, value: bytes) -> bytes:
    """The mechanism's hash."""
    return hashlib.new(HASHES[mechanism], value).digest()


def salted_password(mechanism: str, password: str, salt: bytes, iterations: int) -> bytes:
    """What both of a password's keys come from; takes as long as there are iterations."""
    return hashlib.pbkdf2_hmac(HASHES[mechanism], password.encode(), salt, iterations)


def exclusive_or(one: bytes, other: bytes) -> bytes:
    """Two values of one length, combined bit by bit."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one))


def plain_name(raw: bytes) -> str:
    """The name that a message carries (RFC 5801 section 4).

    Raises ScramError where `=` is not of `=2C` or `=3D`, or the name is not in UTF-8.
    """
    try:
        return _ESCAPE.sub(_plain, raw.decode())
    except UnicodeDecodeError as error:
        raise ScramError("the name is not in UTF-8") from error


def _plain(match: re.Match[str]) -> str:
    if match[1] is None:
        raise ScramError("the name has a stray equals sign")
    return "," if match[1] == "2C" else "="


def _decoded(raw: bytes) -> bytes:
    try:
        return b64decode(raw, validate=True)
    except ValueError as error:
        raise ScramError("no base64") from error
