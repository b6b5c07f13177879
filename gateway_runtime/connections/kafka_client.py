"""A Kafka client's connection: it says who it is, gets a broker, and is then mediated frame by frame.

What cannot go on at once (a key that is fetched, a broker that is connected to) leaves the frames behind it
where they are: nothing more is read from the client, so that at most what was read at once waits here.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Sequence
from time import time
from typing import TYPE_CHECKING, Final

from gateway_runtime.connections.kafka_broker import BrokerConnection, BrokerError, authenticate
from gateway_runtime.connections.kafka_frames import FrameProtocol
from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.kafka.addresses import AddressBook
from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.inspection import inspection
from gateway_runtime.kafka.mediator import Mediator, Pieces
from gateway_runtime.kafka.passing import relay
from gateway_runtime.kafka.telemetry import telemetry_answer
from gateway_runtime.kafka.versions import (
    API_VERSIONS,
    SASL_AUTHENTICATE,
    SASL_HANDSHAKE,
    TELEMETRY,
    UNSUPPORTED_VERSION,
    Versions,
    features_at,
    versions_response,
)
from gateway_runtime.program.kafka import Session
from gateway_runtime.protocols.kafka.errors import KafkaFormatError
from gateway_runtime.protocols.kafka.frames import (
    Frame,
    RequestHeader,
    read_request_header,
    response_frame,
)
from gateway_runtime.protocols.kafka.messages import KEYS, Message, request_layout
from gateway_runtime.protocols.kafka.sasl_client import SaslError
from gateway_runtime.protocols.kafka.sasl_server import Challenge, Done, Failed, ServerExchange
from gateway_runtime.security.kafka import explain
from gateway_runtime.security.kafka_identity import Admitted
from gateway_runtime.snapshot.kafka import KafkaListener
from gateway_runtime.stats import KafkaStats

if TYPE_CHECKING:
    from gateway_runtime.connections.kafka_api import KafkaApiServer
    from gateway_runtime.connections.kafka_gateway import KafkaGateway
    from gateway_runtime.kafka._relay import Relay

_LOG: Final = logging.getLogger(__name__)
MALFORMED: Final = "MALFORMED"
"""What is counted for bytes that are no message, or one that the client was not offered."""
_FIRST_FRAMES: Final = 262_144
"""Bytes: no frame of one who has not authenticated is longer."""
_PATIENCE: Final = 30.0
"""Seconds within which a client must have authenticated."""
_PARTING: Final = 2.0
"""Seconds that a client has to take its last responses and to close."""
_RENEWAL: Final = 0.8
"""The part of its lifetime after which a login at the broker is renewed."""
_UNSUPPORTED_MECHANISM: Final = 33
_ILLEGAL_STATE: Final = 34
_REFUSED: Final = 58


class _RefusedError(Exception):
    """The client is to go; `key` is what is counted."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key


def _set(future: asyncio.Future[Message], answer: Message) -> None:
    """Tell who waits, if it still does."""
    if not future.done():
        future.set_result(answer)


class KafkaConnection(FrameProtocol):
    """One client and, once it has authenticated, its connection to a broker."""

    def __init__(self, gateway: KafkaGateway, listener: KafkaListener, port: int) -> None:
        super().__init__(_FIRST_FRAMES)
        self.is_client = True
        self._gateway = gateway
        self._listener = listener
        self._port = port
        self.api: KafkaApiServer | None = None
        self._stats: KafkaStats | None = None
        self.admitted: Admitted | None = None
        self.holder: tuple[str, str] | None = None
        """Whose connection it counts as."""
        self._broker_id: int | None = None
        self._certificate: bytes | None = None
        self._mechanism = ""
        self._exchange: ServerExchange[Admitted] | None = None
        self._mediator: Mediator | None = None
        self._relay: Relay | None = None
        """What passes frames on unread, where nothing has to look into them."""
        self._upstream: BrokerConnection | None = None
        self._queue: deque[Frame] = deque()
        self._waiting: tuple[RequestHeader, Frame, Call] | None = None
        self._task: asyncio.Task[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._most_in_flight = 1
        self._is_muted = False
        self._is_full = False
        self._is_retired = False
        self._is_leaving = False

    # -- the client's connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find out which API the client has come for."""
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        name = "" if connection is None else connection.asked_name
        if not self._gateway.admit(self):
            self.abort()
            return
        found = self._gateway.find(self._listener, self._port, name)
        if found is None:
            self.end(f"nothing is served at port {self._port}" + (f" for {name}" if name else ""))
            return
        self.api, self._broker_id = found
        self._stats = self._gateway.stats(self.api.key)
        self._stats.connections_open += 1
        self._stats.connections_total += 1
        self._certificate = None if connection is None else connection.getpeercert(binary_form=True)
        self._later(_PATIENCE, self._on_patience)
        if not self.api.admission.mechanisms:
            self._do(self._admit_without_sasl())

    def connection_lost(self, error: Exception | None) -> None:
        """Let the broker go too."""
        self._gateway.forget(self)
        if self._stats is not None:
            self._stats.connections_open -= 1
            if self._relay is not None:
                self._relay.is_open = False
                self._stats.collect(self._relay)
                self._stats.counting.discard(self._relay)
        if self._mediator is not None:
            self._mediator.pay()
        for timer in self._timers:
            timer.cancel()
        if self._task is not None:
            self._task.cancel()
        if self._upstream is not None:
            self._upstream.taker = self._upstream.lost = self._upstream.full = self._upstream.peer = None
            self._upstream.close()

    def broken(self, reason: str) -> None:
        """End a connection whose bytes mean nothing."""
        self.end(reason, MALFORMED)

    def end(self, reason: str, key: str = "") -> None:
        """Close once all is sent, and say why; with a key it is counted."""
        if self._is_leaving or self.transport is None or self.transport.is_closing():
            return
        self._is_leaving = True
        if self._relay is not None:
            self._relay.is_open = False
        self.uncork()
        if key and self._stats is not None:
            self._stats.refuse(key)
        api = "-" if self.api is None else self.api.key
        _LOG.info("Kafka %s: the connection of %s is closed: %s", api, self.address, reason)
        self.hold(False)
        if self.transport.can_write_eof():
            # To close with requests unread would reset the connection, and lose responses on their way.
            self.transport.write_eof()
            self._later(_PARTING, self.transport.close)
        else:
            self.transport.close()

    @property
    def address(self) -> str:
        """The client's IP address; empty where it is gone."""
        peer = None if self.transport is None else self.transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    def retire(self) -> None:
        """Close as soon as nothing is awaited: the client comes anew, and finds what is new."""
        self._is_retired = True
        self.settle()

    def _on_patience(self) -> None:
        if self.admitted is None:
            self.end(f"the client has not authenticated within {_PATIENCE:g} s", "NOT_AUTHENTICATED")

    def _later(self, seconds: float, call: object) -> None:
        self._timers = [timer for timer in self._timers if timer.when() > asyncio.get_running_loop().time()]
        self._timers.append(asyncio.get_running_loop().call_later(seconds, call))  # type: ignore[arg-type]

    # -- one frame after the other

    def frame_received(self, frame: Frame) -> None:
        """Take a request, or leave it until its turn."""
        if self._is_leaving:
            return
        if self._queue or self._is_waiting():
            self._queue.append(frame)
        else:
            self._take_now(frame)
        self.settle()

    def _go_on(self) -> None:
        """Take what has come, as far as it goes."""
        while self._queue and not self._is_waiting() and not self._is_leaving:
            self._take_now(self._queue.popleft())
        self.settle()

    def _take_now(self, frame: Frame) -> None:
        try:
            self._take(frame)
        except _RefusedError as refusal:
            self.end(str(refusal), refusal.key)
        except KafkaFormatError as error:
            self.end(str(error), MALFORMED)

    def _is_waiting(self) -> bool:
        return self._task is not None or self._waiting is not None

    def settle(self) -> None:
        """Read from the client only where there is something to do with it."""
        in_flight = 0 if self._mediator is None else self._mediator.in_flight
        is_behind = bool(self._queue) or self._is_waiting()
        if self._is_retired and not in_flight and not is_behind:
            self.end("it is to come anew")
        elif not self._is_leaving:
            is_held = is_behind or in_flight >= self._most_in_flight or self._is_muted or self._is_full
            self.hold(is_held or self._is_retired)
            if self._relay is not None:
                self._relay.is_open = not (is_held or self._is_retired)

    def _take(self, frame: Frame) -> None:
        header = read_request_header(frame)
        if header.key == API_VERSIONS:
            self._take_versions(header)
        elif header.key in (SASL_HANDSHAKE, SASL_AUTHENTICATE):
            self._take_sasl(header, frame)
        elif self._mediator is None:
            if self._mechanism:
                raise _RefusedError("NOT_AUTHENTICATED", "the client goes on without having authenticated")
            self._queue.appendleft(frame)
            self._do(self._admit_without_sasl())
        elif header.key in TELEMETRY and self.api is not None and not self.api.kafka.client_telemetry:
            request = request_layout(header.key, 0).decode(frame, header.body)
            self._reply(header, 0, telemetry_answer(header.key, request))
        else:
            call = self._mediator.request(header, frame)
            if call is not None:
                self._waiting = header, frame, call
                self._later(self._patience, lambda: self._on_unanswered(call))

    @property
    def _patience(self) -> float:
        """Seconds within which the broker must answer what the gateway itself asks."""
        assert self.api is not None
        return self.api.kafka.cluster.response_timeout

    def _on_unanswered(self, call: Call) -> None:
        if self._waiting is not None and self._waiting[2] is call:
            self.end(
                f"what a request waits for has not come within {self._patience:g} s", "CLUSTER_UNAVAILABLE"
            )

    def _do(self, work: Awaitable[None]) -> None:
        """Wait for something, and take no frame meanwhile."""
        self._task = asyncio.ensure_future(self._done(work))
        self.settle()

    async def _done(self, work: Awaitable[None]) -> None:
        try:
            await work
        except _RefusedError as refusal:
            self.end(str(refusal), refusal.key)
            return
        except (BrokerError, SaslError) as failure:
            self.end(str(failure), "CLUSTER_UNAVAILABLE")
            return
        except KafkaFormatError as error:
            self.end(str(error), MALFORMED)
            return
        except Exception:
            _LOG.exception("Kafka %s: a connection failed", self.api and self.api.key)
            self.end("the gateway failed", "GATEWAY_FAILED")
            return
        self._task = None
        self._go_on()

    def _reply(self, header: RequestHeader, version: int, message: Message) -> None:
        if self._mediator is not None:
            self._mediator.answer(header.key, version, header.correlation_id, message)
        else:
            self.send(response_frame(header.key, version, header.correlation_id, message))

    # -- what the gateway answers itself

    def _take_versions(self, header: RequestHeader) -> None:
        assert self.api is not None
        if self.api.cluster.versions:
            self._answer_versions(header, self.api.offered())
        else:
            self._do(self._look_up_versions(header, self.api))

    async def _look_up_versions(self, header: RequestHeader, api: KafkaApiServer) -> None:
        await api.cluster.known()
        self._answer_versions(header, api.offered())

    def _answer_versions(self, header: RequestHeader, versions: Versions) -> None:
        """A version that is too new is answered in version 0 (KIP-511)."""
        lowest, highest = versions[API_VERSIONS]
        if lowest <= header.version <= highest:
            assert self.api is not None
            features = features_at(self.api.cluster.features, header.version)
            self._reply(header, header.version, {**versions_response(versions), **features})
        else:
            own = {API_VERSIONS: versions[API_VERSIONS]}
            self._reply(header, 0, versions_response(own, UNSUPPORTED_VERSION))

    def _take_sasl(self, header: RequestHeader, frame: Frame) -> None:
        lowest, highest = KEYS[header.key].lowest, KEYS[header.key].highest
        if not lowest <= header.version <= highest:
            raise KafkaFormatError(f"SASL in version {header.version}")
        message = request_layout(header.key, header.version).decode(frame, header.body)
        if header.key == SASL_HANDSHAKE:
            self._take_handshake(header, message["Mechanism"])
        elif self._exchange is None:
            self._reply(header, header.version, {"ErrorCode": _ILLEGAL_STATE, "ErrorMessage": "no handshake"})
            raise _RefusedError(MALFORMED, "SaslAuthenticate without a handshake")
        else:
            self._do(self._step(header, self._exchange, bytes(message["AuthBytes"])))

    def _take_handshake(self, header: RequestHeader, mechanism: str) -> None:
        assert self.api is not None
        known = self.api.admission.mechanisms
        is_other = self.admitted is not None and mechanism != self._mechanism
        if mechanism not in known or is_other or header.version < 1:
            error = {"ErrorCode": _UNSUPPORTED_MECHANISM, "Mechanisms": list(known)}
            self._reply(header, header.version, error)
            reason = f"the client asks for SASL by {mechanism[:40]!r}, which it cannot have"
            raise _RefusedError("SASL_MECHANISM_UNSUPPORTED", reason)
        self._mechanism = mechanism
        self._exchange = self.api.admission.starts(mechanism)
        self._reply(header, header.version, {"Mechanisms": list(known)})

    async def _step(self, header: RequestHeader, exchange: ServerExchange[Admitted], payload: bytes) -> None:
        outcome = await exchange.step(payload)
        if isinstance(outcome, Challenge):
            self._reply(header, header.version, {"AuthBytes": outcome.payload})
        elif isinstance(outcome, Done):
            self._exchange = None
            self._take_login(header, outcome)
            if self._mediator is None:
                await self._connect(outcome.identity)
        else:
            self._refuse(header, outcome.reason)

    def _take_login(self, header: RequestHeader, done: Done[Admitted]) -> None:
        """A client that logs in again must be who it was (KIP-368)."""
        admitted = done.identity
        if self.admitted is not None and not self.admitted.is_same_client(admitted):
            self._refuse(header, "SASL_OTHER_CLIENT")
        lifetime = 0 if admitted.expires_at is None else max(1, int((admitted.expires_at - time()) * 1000))
        self.admitted = admitted
        answer = {"AuthBytes": done.payload, "SessionLifetimeMs": lifetime}
        self._reply(header, header.version, answer)

    def _refuse(self, header: RequestHeader, reason: str) -> None:
        """Tell the client why: of a subscription only one that has proved to be its own is told anything."""
        self._reply(header, header.version, {"ErrorCode": _REFUSED, "ErrorMessage": explain(reason)})
        raise _RefusedError(reason, f"the client is not let in: {reason}")

    async def _admit_without_sasl(self) -> None:
        assert self.api is not None
        admitted = self.api.admission.without_sasl(self._certificate)
        if isinstance(admitted, Failed):
            raise _RefusedError(admitted.reason, f"the client is not let in: {admitted.reason}")
        self.admitted = admitted
        await self._connect(admitted)

    # -- the broker's connection

    async def _connect(self, admitted: Admitted) -> None:
        assert self.api is not None
        api = self.api
        refusal = self._gateway.enter(self)
        if refusal:
            raise _RefusedError("TOO_MANY_CONNECTIONS", refusal)
        session = self._session(api, admitted)
        if session.refusal:
            raise _RefusedError("CONNECT_REFUSED", f"the client is not let in: {session.refusal}")
        inspector = inspection(session.rules, api.topic_ids, session.records)
        upstream = await api.cluster.connect(self._broker_id)
        if self.transport is None or self.transport.is_closing():
            upstream.close()
            return
        self.frame_limit = api.kafka.limits.frame
        self._most_in_flight = api.kafka.limits.in_flight
        book = AddressBook(self._listener, api.kafka, api.info.namespace, api.cluster.learn)
        self._mediator = Mediator(self, api.offered(), book, inspector, self._gateway.stats(api.key))
        self._relay = self._mediator.relay = relay(self._mediator.row, api.offered())
        if self._relay is not None and inspector is not None:
            self._relay.inspect(inspector.free)
        self._attach(upstream)
        age = api.kafka.limits.max_connection_age
        if age is not None:
            self._later(age * random.uniform(0.8, 1.0), self.retire)  # noqa: S311

    def _session(self, api: KafkaApiServer, admitted: Admitted) -> Session:
        try:
            return api.program.session(admitted, self.address)
        except ExpressionError as error:
            raise _RefusedError("POLICY_FAILED", f"a policy cannot be applied: {error}") from error

    def _attach(self, upstream: BrokerConnection) -> None:
        self._upstream = self.peer = upstream
        upstream.peer = self
        upstream.taker, upstream.lost, upstream.full = self._respond, self.end, self._on_full
        if self._relay is not None and self._stats is not None:
            self._relay.limit(self.frame_limit, self._most_in_flight)
            self._stats.counting.add(self._relay)
            self.pass_to(upstream, self._relay)
            upstream.pass_to(self, self._relay)
        if upstream.session_lifetime > 0:
            self._later(upstream.session_lifetime * _RENEWAL, self._renew)

    def _respond(self, frame: Frame) -> None:
        assert self._mediator is not None
        self._mediator.response(frame)
        self.settle()

    def _renew(self) -> None:
        """Log in anew at the broker (KIP-368): between two requests, as nothing else may be in between."""
        if self._is_waiting():
            self._later(0.05, self._renew)
        else:
            self._do(self._log_in_anew())

    async def _log_in_anew(self) -> None:
        assert self._upstream is not None and self.api is not None and self.api.login is not None
        try:
            async with asyncio.timeout(self._patience):
                lifetime = await authenticate(self._ask, self._upstream.versions, self.api.login)
        except TimeoutError:
            raise BrokerError(f"the broker has not answered a new login in {self._patience:g} s") from None
        if lifetime > 0:
            self._later(lifetime * _RENEWAL, self._renew)

    async def _ask(self, key: int, version: int, message: Message) -> Message:
        assert self._mediator is not None
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._mediator.ask(key, version, message, lambda answer: _set(future, answer))
        return await future

    # -- the mediator's two ends

    def to_client(self, pieces: Pieces) -> None:
        """Send a frame to the client, unless it has been told the end."""
        if not self._is_leaving:
            self.send(pieces)

    def to_cluster(self, pieces: Sequence[Frame]) -> None:
        """Send a frame to the broker."""
        assert self._upstream is not None
        self._upstream.send(pieces)

    def told(self) -> None:
        """Go on with the request that has waited for what the cluster said."""
        assert self._waiting is not None
        (header, frame, call), self._waiting = self._waiting, None
        self._proceed(header, frame, call, is_ready=False)

    def wait(self, work: Awaitable[None]) -> None:
        """Wait for what the request needs that was taken last."""
        self._do(self._prepared(work))

    async def _prepared(self, work: Awaitable[None]) -> None:
        await work
        assert self._waiting is not None
        (header, frame, call), self._waiting = self._waiting, None
        self._proceed(header, frame, call, is_ready=True)

    def _proceed(self, header: RequestHeader, frame: Frame, call: Call, is_ready: bool) -> None:
        assert self._mediator is not None
        try:
            if self._mediator.proceed(header, frame, call, is_asked=True, is_ready=is_ready) is not None:
                self._waiting = header, frame, call
        except KafkaFormatError as error:
            self.end(str(error), MALFORMED)
        self._go_on()

    def mute(self, milliseconds: int) -> None:
        """Read no more for so long."""
        self._is_muted = True
        self._later(milliseconds / 1000, self._on_mute_over)
        self.settle()

    def _on_mute_over(self) -> None:
        self._is_muted = False
        self.settle()

    def _on_full(self, is_full: bool) -> None:
        self._is_full = is_full
        self.settle()

    def pause_writing(self) -> None:
        """The client takes no more for now: neither does the gateway from the broker."""
        if self._upstream is not None:
            self._upstream.hold(True)

    def resume_writing(self) -> None:
        """There is room again."""
        if self._upstream is not None:
            self._upstream.hold(False)
