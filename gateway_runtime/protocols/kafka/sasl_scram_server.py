"""The gateway's end of SCRAM: a name to what checks its proof, a proof to an identity.

A name that nobody has is led through the same exchange: what checks its proof is made up by the credentials,
with a salt that stays the same.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from gateway_runtime.protocols.kafka.sasl_scram import (
    ClientFinal,
    ClientFirst,
    ScramError,
    ServerFirst,
    digest,
    exclusive_or,
    fresh_nonce,
    parse_client_final,
    parse_client_first,
    sign,
)
from gateway_runtime.protocols.kafka.sasl_server import (
    MALFORMED,
    Challenge,
    Done,
    Failed,
    Identity,
    Outcome,
    ServerExchange,
)


@dataclass(frozen=True, slots=True)
class ScramKey(Generic[Identity]):
    """One password's keys (RFC 5802 section 3), and whom it lets in."""

    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    admit: Callable[[], Identity | Failed]


@dataclass(frozen=True, slots=True)
class ScramCredential(Generic[Identity]):
    """What checks a user's proof: the keys of passwords that hold at the same time."""

    salt: bytes
    iterations: int
    keys: tuple[ScramKey[Identity], ...]


ScramCredentials = Callable[[str], ScramCredential[Identity]]
"""What checks the proof of a name, a made-up one for a name that nobody has."""


class ScramServer(ServerExchange[Identity]):
    """SCRAM-SHA-256 or SCRAM-SHA-512; a wrong proof fails for the reason `refusal`."""

    def __init__(
        self,
        mechanism: str,
        credentials: ScramCredentials[Identity],
        refusal: str,
        nonce: Callable[[], bytes] = fresh_nonce,
    ) -> None:
        super().__init__()
        self._mechanism = mechanism
        self._credentials = credentials
        self._refusal = Failed(refusal)
        self._nonce = nonce
        self._open: _Open[Identity] | None = None

    async def _advance(self, payload: bytes) -> Outcome[Identity]:
        try:
            if self._open is None:
                return self._challenge(parse_client_first(payload))
            return self._judge(self._open, parse_client_final(payload))
        except ScramError:
            return Failed(MALFORMED)

    def _challenge(self, first: ClientFirst) -> Challenge:
        credential = self._credentials(first.name)
        reply = ServerFirst(first.nonce + self._nonce(), credential.salt, credential.iterations)
        self._open = _Open(first, reply, credential)
        return Challenge(reply.encode())

    def _judge(self, exchange: _Open[Identity], final: ClientFinal) -> Outcome[Identity]:
        if not hmac.compare_digest(final.nonce, exchange.reply.nonce):
            return self._refusal
        message = b",".join((exchange.first.bare, exchange.reply.encode(), final.unproved))
        matching = [key for key in exchange.credential.keys if self._proves(key, message, final.proof)]
        if not matching:
            return self._refusal
        found = matching[0].admit()
        if isinstance(found, Failed):
            return found
        return Done(b"v=" + b64encode(sign(self._mechanism, matching[0].server_key, message)), found)

    def _proves(self, key: ScramKey[Identity], message: bytes, proof: bytes) -> bool:
        signature = sign(self._mechanism, key.stored_key, message)
        if len(proof) != len(signature):
            return False
        client_key = exclusive_or(proof, signature)
        return hmac.compare_digest(digest(self._mechanism, client_key), key.stored_key)


@dataclass(frozen=True, slots=True)
class _Open(Generic[Identity]):
    """An exchange that waits for the proof."""

    first: ClientFirst
    reply: ServerFirst
    credential: ScramCredential[Identity]
