"""What supervisor and workers say to each other: tagged JSON messages, each behind its length."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final, TypeVar

import msgspec

from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.snapshot.codec import Delta
from gateway_runtime.snapshot.openings import Opening
from gateway_runtime.snapshot.types import Address, Snapshot

_LENGTH: Final = struct.Struct("!I")
_MAX_FRAME: Final = 1 << 30
MAX_DESCRIPTORS: Final = 200
"""Of one packet; the kernel's own limit is 253 (SCM_MAX_FD)."""


class Configure(msgspec.Struct, frozen=True, tag=True):
    """Serve this: a whole snapshot, or a delta to the one before. `secrets` maps URIs to values."""

    serial: int
    snapshot: Snapshot | None
    delta: Delta | None
    secrets: dict[str, SecretText]


class Listen(msgspec.Struct, frozen=True, tag=True):
    """Accept there, on the sockets that the descriptor channel holds in its next packet."""

    openings: tuple[Opening, ...]


class Unlisten(msgspec.Struct, frozen=True, tag=True):
    """Accept there no more."""

    address: str
    port: int


class Discover(msgspec.Struct, frozen=True, tag=True):
    """Services have these addresses now, by their keys; without any, none."""

    addresses: dict[str, tuple[Address, ...]]


class AskStats(msgspec.Struct, frozen=True, tag=True):
    """Send the counters."""


class Drain(msgspec.Struct, frozen=True, tag=True):
    """Finish what is open within so many seconds, then exit."""

    seconds: float


class Configured(msgspec.Struct, frozen=True, tag=True):
    """A `Configure` is served; `errors` names all APIs that could not be compiled, and says why.

    Under the empty key is what is wrong with the gateway's listeners.
    """

    serial: int
    errors: dict[str, str]


class Stats(msgspec.Struct, frozen=True, tag=True):
    """The counters of a worker: of its APIs, those that have served since the last message."""

    data: dict[str, Any]


ToWorker = Configure | Listen | Unlisten | Discover | AskStats | Drain
FromWorker = Configured | Stats


def _revealed(value: object) -> str:
    if isinstance(value, SecretText):
        return value.reveal()
    raise NotImplementedError(type(value).__name__)


def _hidden(kind: type, value: str) -> SecretText:
    if kind is SecretText:
        return SecretText(value)
    raise NotImplementedError(kind.__name__)


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_revealed)
_TO_WORKER: Final = msgspec.json.Decoder(ToWorker, dec_hook=_hidden)
_FROM_WORKER: Final = msgspec.json.Decoder(FromWorker)
_M = TypeVar("_M")


def frame(message: ToWorker | FromWorker) -> bytes:
    """A message as it goes over the channel."""
    body = _ENCODER.encode(message)
    return _LENGTH.pack(len(body)) + body


async def read_order(reader: asyncio.StreamReader) -> ToWorker:
    """The next message to a worker; raises IncompleteReadError where the supervisor is gone."""
    return await _read(reader, _TO_WORKER)


async def read_answer(reader: asyncio.StreamReader) -> FromWorker:
    """The next message of a worker; raises IncompleteReadError where it is gone."""
    return await _read(reader, _FROM_WORKER)


async def _read(reader: asyncio.StreamReader, decoder: msgspec.json.Decoder[_M]) -> _M:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > _MAX_FRAME:
        raise ConnectionError(f"a frame of {length} bytes")
    return decoder.decode(await reader.readexactly(length))
