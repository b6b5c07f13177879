"""A connection to a broker: made, its versions asked for, logged in; then whoever has it takes its frames."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, cast

from gateway_runtime.connections.kafka_frames import FrameProtocol
from gateway_runtime.connections.plain_transport import connect
from gateway_runtime.kafka.addresses import Address
from gateway_runtime.kafka.versions import (
    API_VERSIONS,
    SASL_AUTHENTICATE,
    SASL_HANDSHAKE,
    UNSUPPORTED_VERSION,
    Versions,
    read_features,
    read_versions,
)
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.frames import (
    Frame,
    RequestHeader,
    correlation_id_of,
    read_response,
    request_frame,
    response_body,
)
from gateway_runtime.protocols.kafka.messages import Message
from gateway_runtime.protocols.kafka.sasl_client import SaslError

_LARGEST_RESPONSE: Final = 1 << 30
_VERSIONS_VERSION: Final = 4
_SOFTWARE: Final = {"ClientSoftwareName": "penstock", "ClientSoftwareVersion": "1"}

Ask = Callable[[int, int, Message], Awaitable[Message]]
"""Sends a request of a key and version, and waits for its response."""


class BrokerError(Exception):
    """A broker that cannot be reached, or lets the gateway not in; says why, without credentials."""


class ClientExchange(Protocol):
    """The client's end of one SASL exchange."""

    def first(self) -> bytes:
        """The first message."""
        ...

    def step(self, challenge: bytes) -> bytes | None:
        """The next message; None where there is none. Raises SaslError."""
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """How the gateway tells a cluster who it is: a mechanism, and what makes its exchanges."""

    mechanism: str
    exchange: Callable[[], Awaitable[ClientExchange]]


class BrokerConnection(FrameProtocol):
    """Frames of a broker: to `taker` where there is one, else to those who asked."""

    def __init__(self) -> None:
        super().__init__(_LARGEST_RESPONSE)
        self.versions: Versions = {}
        self.features: Message = {}
        self.session_lifetime: float = 0.0
        """Seconds for which the login holds (KIP-368); 0: for ever."""
        self.taker: Callable[[Frame], None] | None = None
        self.lost: Callable[[str], None] | None = None
        """Told why the connection has ended."""
        self.full: Callable[[bool], None] | None = None
        """Told that the broker takes no more for now, and that it does again."""
        self._asked: deque[tuple[int, int, int, asyncio.Future[Message]]] = deque()
        self._next_id = 0

    def frame_received(self, frame: Frame) -> None:
        """Hand a frame on."""
        if self.taker is not None:
            self.taker(frame)
            return
        if not self._asked:
            raise KafkaFormatError("a response without a request")
        key, version, number, future = self._asked.popleft()
        if correlation_id_of(frame) != number:
            raise KafkaFormatError("a response to another request")
        if not future.done():
            future.set_result(_read(frame, key, version))

    async def ask(self, key: int, version: int, message: Message) -> Message:
        """Send a request and wait for its response. Raises BrokerError where none comes."""
        self._next_id += 1
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked.append((key, version, self._next_id, future))
        self.send(request_frame(RequestHeader(key, version, self._next_id, "penstock", 0), message))
        return await future

    def broken(self, reason: str) -> None:
        """End a connection whose bytes mean nothing."""
        self._end(reason)
        self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell all who wait."""
        self._end(f"the broker closed the connection{f': {error}' if error else ''}")

    def _end(self, reason: str) -> None:
        for *_, future in self._asked:
            if not future.done():
                future.set_exception(BrokerError(reason))
        self._asked.clear()
        if self.lost is not None:
            lost, self.lost = self.lost, None
            lost(reason)

    def pause_writing(self) -> None:
        """Too much waits to be sent."""
        if self.full is not None:
            self.full(True)

    def resume_writing(self) -> None:
        """There is room again."""
        if self.full is not None:
            self.full(False)

    def close(self) -> None:
        """Close once all is sent."""
        self.uncork()
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()


def _read(frame: Frame, key: int, version: int) -> Message:
    """A response; that an unknown version of ApiVersions was asked for is told in version 0 (KIP-511)."""
    body = response_body(frame, key, version)
    if key == API_VERSIONS and frame[body : body + 2] == _TOO_NEW:
        version = 0
    return read_response(frame, key, version)


_TOO_NEW: Final = UNSUPPORTED_VERSION.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Way:
    """How brokers of a cluster are reached.

    Seconds: `timeout` until a connection is logged in, `patience` until a broker answers what is asked then.
    """

    tls: ssl.SSLContext | None
    server_name: str | None
    login: Login | None
    timeout: float
    patience: float


async def connect_broker(address: Address, way: Way) -> BrokerConnection:
    """A connection that is logged in. Raises BrokerError."""
    connection = BrokerConnection()
    try:
        async with asyncio.timeout(way.timeout):
            await _open(connection, address, way)
            response = await _versions(connection)
            connection.versions, connection.features = read_versions(response), read_features(response)
            if way.login is not None:
                connection.session_lifetime = await authenticate(
                    connection.ask, connection.versions, way.login
                )
    except TimeoutError:
        connection.abort()
        raise BrokerError(f"no answer within {way.timeout:g} s") from None
    except (OSError, KafkaFormatError, SaslError) as error:
        connection.abort()
        raise BrokerError(str(error)) from error
    except BaseException:
        connection.abort()
        raise
    return connection


async def _open(connection: BrokerConnection, address: Address, way: Way) -> None:
    loop = asyncio.get_running_loop()
    host, port = address
    protocol = cast("asyncio.BaseProtocol", connection)
    if way.tls is None:
        await connect(loop, address, connection)
        return
    name = way.server_name or host
    await loop.create_connection(lambda: protocol, host, port, ssl=way.tls, server_hostname=name)


async def _versions(connection: BrokerConnection) -> Message:
    """What the broker knows, asked in a version that it knows: it says which where that was too new."""
    response = await connection.ask(API_VERSIONS, _VERSIONS_VERSION, _SOFTWARE)
    if response["ErrorCode"] == UNSUPPORTED_VERSION:
        _, highest = read_versions(response).get(API_VERSIONS, (0, 0))
        response = await connection.ask(API_VERSIONS, min(highest, _VERSIONS_VERSION - 1), _SOFTWARE)
    if response["ErrorCode"]:
        raise BrokerError(f"the broker answers ApiVersions with error {response['ErrorCode']}")
    return response


async def authenticate(ask: Ask, versions: Versions, login: Login) -> float:
    """Log in (KIP-43), also anew on a connection that serves (KIP-368); answers for how many seconds.

    Raises BrokerError where the broker refuses, SaslError where it does not prove who it is.
    """
    response = await ask(SASL_HANDSHAKE, 1, {"Mechanism": login.mechanism})
    if response["ErrorCode"]:
        known = ", ".join(response["Mechanisms"])
        raise BrokerError(f"the broker does not take {login.mechanism}, but {known or 'nothing'}")
    version = min(versions.get(SASL_AUTHENTICATE, (0, 0))[1], 2)
    exchange = await login.exchange()
    payload: bytes | None = exchange.first()
    lifetime = 0
    while payload is not None:
        response = await ask(SASL_AUTHENTICATE, version, {"AuthBytes": payload})
        if response["ErrorCode"]:
            reason = response["ErrorMessage"]
            raise BrokerError(f"the broker refuses the login by {login.mechanism}: {reason}")
        lifetime = response.get("SessionLifetimeMs", 0)
        payload = exchange.step(bytes(response["AuthBytes"]))
    return lifetime / 1000
