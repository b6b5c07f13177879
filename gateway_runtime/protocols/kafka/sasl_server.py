"""The gateway's end of SASL: each message of a client to a challenge, an identity or a refusal.

Credentials are looked up by what an exchange is made with; nothing here waits but for that. `Identity` is
whatever they give. An exchange that has ended takes no further message.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from gateway_runtime.protocols.kafka.sasl_scram import ScramError, plain_name

MAX_PAYLOAD: Final = 65536
MALFORMED: Final = "SASL_MALFORMED"
"""The reason for a message that is none of its mechanism."""

Identity = TypeVar("Identity")


@dataclass(frozen=True, slots=True)
class Challenge:
    """The exchange goes on: the client gets this and answers."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Done(Generic[Identity]):
    """The client is who it says; it gets the payload as the last message."""

    payload: bytes
    identity: Identity


@dataclass(frozen=True, slots=True)
class Failed:
    """The client is not let in, for the reason of this key."""

    reason: str


Outcome = Challenge | Done[Identity] | Failed


class ServerExchange(ABC, Generic[Identity]):
    """One authentication of one client by one mechanism."""

    def __init__(self) -> None:
        self._is_open = True

    async def step(self, payload: bytes | memoryview) -> Outcome[Identity]:
        """What comes of the client's next message; no message makes it raise."""
        if not self._is_open or len(payload) > MAX_PAYLOAD:
            self._is_open = False
            return Failed(MALFORMED)
        self._is_open = False
        outcome = await self._advance(bytes(payload))
        self._is_open = isinstance(outcome, Challenge)
        return outcome

    @abstractmethod
    async def _advance(self, payload: bytes) -> Outcome[Identity]:
        """The step for a message of allowed length."""


Passwords = Callable[[str, bytes], Identity | Failed]
"""Who a user name and a password are of."""


class PlainServer(ServerExchange[Identity]):
    """PLAIN (RFC 4616); the authorization identity must be empty or the user name (as in Kafka)."""

    def __init__(self, passwords: Passwords[Identity]) -> None:
        super().__init__()
        self._passwords = passwords

    async def _advance(self, payload: bytes) -> Outcome[Identity]:
        parts = payload.split(b"\0")
        if len(parts) != 3 or not parts[1] or not parts[2] or parts[0] not in (b"", parts[1]):
            return Failed(MALFORMED)
        try:
            name = parts[1].decode()
        except UnicodeDecodeError:
            return Failed(MALFORMED)
        found = self._passwords(name, parts[2])
        return found if isinstance(found, Failed) else Done(b"", found)


Tokens = Callable[[bytes, str], Awaitable[Identity | Failed]]
"""Who a token is of, where the client asks to act as an authorization identity (empty: itself)."""

_BEARER: Final = re.compile(rb"n,(?:a=([^,\0\x01]+))?,\x01((?:[A-Za-z]+=[\t\n\r -~]*\x01)*)\x01")
_CREDENTIAL: Final = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_REFUSAL: Final = json.dumps({"status": "invalid_token"}).encode()
_ACKNOWLEDGEMENT: Final = b"\x01"


class OAuthBearerServer(ServerExchange[Identity]):
    """OAUTHBEARER (RFC 7628). A refused client is told so in JSON, and fails once it has answered that."""

    def __init__(self, tokens: Tokens[Identity]) -> None:
        super().__init__()
        self._tokens = tokens
        self._failed: Failed | None = None

    async def _advance(self, payload: bytes) -> Outcome[Identity]:
        if self._failed is not None:
            return self._failed if payload == _ACKNOWLEDGEMENT else Failed(MALFORMED)
        request = _bearer(payload)
        if request is None:
            return Failed(MALFORMED)
        found = await self._tokens(*request)
        if isinstance(found, Failed):
            self._failed = found
            return Challenge(_REFUSAL)
        return Done(b"", found)


def _bearer(payload: bytes) -> tuple[bytes, str] | None:
    """The token of an initial response, and the authorization identity; None where it is none."""
    match = _BEARER.fullmatch(payload)
    if match is None:
        return None
    pairs = [pair.partition(b"=") for pair in match[2].split(b"\x01")]
    credentials = [_CREDENTIAL.fullmatch(value) for key, _, value in pairs if key == b"auth"]
    if len(credentials) != 1 or credentials[0] is None:
        return None
    try:
        return credentials[0][1], plain_name(match[1] or b"")
    except ScramError:
        return None
