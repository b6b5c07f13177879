"""The gateway's end of SASL towards a cluster: credentials to the messages that log in.

The first message comes of `first`, each further one of `step`, which answers None once all is said.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway_runtime.protocols.kafka.sasl_scram import (
    CHANNEL_BINDING,
    GS2_HEADER,
    ScramError,
    ServerFirst,
    digest,
    escaped_name,
    exclusive_or,
    fresh_nonce,
    parse_server_final,
    parse_server_first,
    salted_password,
    sign,
)

MAX_PAYLOAD: Final = 65536
ITERATIONS: Final = range(4096, 1_000_001)
"""How many a cluster may ask for: fewer are too weak (RFC 7677 section 4), more would hold the gateway up."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_STATUS: Final = re.compile(r"[\w .:-]{1,64}", re.ASCII)


class SaslError(Exception):
    """A login that cannot go on; says why, without credentials."""


class PlainClient:
    """PLAIN (RFC 4616). Raises SaslError for credentials that it cannot carry."""

    def __init__(self, username: str, password: str) -> None:
        if "\0" in username + password or not username or not password:
            raise SaslError("PLAIN needs a user name and a password without NUL")
        self._message = f"\0{username}\0{password}".encode()

    def first(self) -> bytes:
        """The first message."""
        return self._message

    def step(self, challenge: bytes) -> bytes | None:
        """Nothing follows; raises SaslError where the cluster asks for more."""
        if challenge:
            raise SaslError("the cluster asks for more than PLAIN has")
        return None


@dataclass(frozen=True, slots=True)
class SaltedKeys:
    """What a password comes to by one salt."""

    shown: tuple[bytes, int]
    client_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


class ScramPassword:
    """A user's password for SCRAM, for all logins to a cluster: the keys for the last salt are kept.

    Raises SaslError for a password that is empty.
    """

    def __init__(self, mechanism: str, username: str, password: str) -> None:
        if not username or not password:
            raise SaslError("SCRAM needs a user name and a password")
        self.mechanism = mechanism
        self.username = username
        self._password = password
        self._keys: SaltedKeys | None = None

    def keys(self, first: ServerFirst) -> SaltedKeys:
        """The client's and the server's key for what a cluster asks for (RFC 5802 section 3)."""
        shown = (first.salt, first.iterations)
        if self._keys is None or self._keys.shown != shown:
            salted = salted_password(self.mechanism, self._password, *shown)
            client_key = sign(self.mechanism, salted, b"Client Key")
            self._keys = SaltedKeys(shown, client_key, sign(self.mechanism, salted, b"Server Key"))
        return self._keys


class ScramClient:
    """SCRAM (RFC 5802), which ends once the cluster has proved that it knows the password too."""

    def __init__(self, password: ScramPassword, nonce: Callable[[], bytes] = fresh_nonce) -> None:
        self._password = password
        self._nonce = nonce()
        self._bare = b"n=%s,r=%s" % (escaped_name(password.username), self._nonce)
        self._expected: bytes | None = None
        self._is_over = False

    def first(self) -> bytes:
        """The first message."""
        return GS2_HEADER + self._bare

    def step(self, challenge: bytes) -> bytes | None:
        """The proof, then nothing; raises SaslError for what is no answer of who knows the password."""
        if self._is_over or len(challenge) > MAX_PAYLOAD:
            raise SaslError("the cluster's answer is not SCRAM's")
        try:
            if self._expected is None:
                return self._prove(challenge, parse_server_first(challenge))
            self._is_over = True
            if not hmac.compare_digest(parse_server_final(challenge), self._expected):
                raise SaslError("the cluster does not prove that it knows the password")
        except ScramError as error:
            raise SaslError(f"the cluster's answer is not SCRAM's: {error}") from None
        return None

    def _prove(self, challenge: bytes, first: ServerFirst) -> bytes:
        if not first.nonce.startswith(self._nonce) or first.nonce == self._nonce:
            raise SaslError("the cluster answers with another nonce")
        if first.iterations not in ITERATIONS:
            raise SaslError(
                f"the cluster asks for {first.iterations} iterations: 4096 to 1000000 are allowed"
            )
        keys, mechanism = self._password.keys(first), self._password.mechanism
        unproved = b"c=%s,r=%s" % (CHANNEL_BINDING, first.nonce)
        message = b",".join((self._bare, challenge, unproved))
        self._expected = sign(mechanism, keys.server_key, message)
        signature = sign(mechanism, digest(mechanism, keys.client_key), message)
        return unproved + b",p=" + b64encode(exclusive_or(keys.client_key, signature))


class OAuthBearerClient:
    """OAUTHBEARER (RFC 7628). Raises SaslError for a token that it cannot carry."""

    def __init__(self, token: str) -> None:
        if not _TOKEN.fullmatch(token) or len(token) > MAX_PAYLOAD // 2:
            raise SaslError("the token is none that OAUTHBEARER can carry")
        self._message = f"n,,\x01auth=Bearer {token}\x01\x01".encode()
        self._status = ""

    def first(self) -> bytes:
        """The first message."""
        return self._message

    def step(self, challenge: bytes) -> bytes | None:
        """Nothing, or what lets a cluster that refuses the token go on to say so; then raises SaslError."""
        if self._status:
            raise SaslError(f"the cluster refuses the token: {self._status}")
        if not challenge:
            return None
        self._status = _status(challenge)
        return b"\x01"


def _status(challenge: bytes) -> str:
    """The status that a refusal names (RFC 7628 section 3.2.2)."""
    try:
        members = json.loads(challenge) if len(challenge) <= MAX_PAYLOAD else None
    except (ValueError, RecursionError):
        members = None
    status = members.get("status") if isinstance(members, dict) else None
    return status if isinstance(status, str) and _STATUS.fullmatch(status) else "unknown status"
