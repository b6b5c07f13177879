"""The sockets of Kafka listeners in one worker: follows what the listeners become, and their certificates."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

from gateway_runtime.connections.kafka_certificates import ListenerCertificates
from gateway_runtime.connections.kafka_gateway import KafkaGateway
from gateway_runtime.connections.listeners import Listening
from gateway_runtime.connections.plain_listening import PlainListening
from gateway_runtime.program.compile import Surroundings
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.snapshot.codec import Delta
from gateway_runtime.snapshot.kafka import KafkaListener
from gateway_runtime.snapshot.types import Address, Snapshot
from gateway_runtime.stats import WorkerStats


class KafkaListeners:
    """Holds also what serves their clients, which is made once for a worker."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stats: WorkerStats) -> None:
        self._loop = loop
        self._gateway = KafkaGateway(loop, stats)
        self._listening: dict[Address, tuple[KafkaListener, Listening]] = {}
        self._certificates: dict[str, ListenerCertificates] = {}
        self._secrets: Mapping[str, SecretText] = {}

    def apply(
        self, snapshot: Snapshot, delta: Delta, moved: list[str], surroundings: Surroundings
    ) -> dict[str, str]:
        """Serve a snapshot, to which `delta` led, with secrets of which `moved` have other values.

        Answers the APIs that could not be compiled, and why; the empty key has what is wrong with listeners.
        """
        self._secrets = surroundings.secrets
        errors = self._gateway.apply(snapshot, delta, moved, surroundings)
        listeners = snapshot.gateway.kafka_listeners
        with_tls = {one.name for one in listeners if one.tls is not None}
        self._certificates = {name: one for name, one in self._certificates.items() if name in with_tls}
        problems = [f"listener {one.name}: {problem}" for one in listeners for problem in self._renew(one)]
        self._follow({listener.name: listener for listener in listeners})
        return errors | {"": "; ".join(problems)} if problems else errors

    def _renew(self, listener: KafkaListener) -> list[str]:
        if listener.tls is None:
            return []
        certificates = self._certificates.setdefault(listener.name, ListenerCertificates())
        return certificates.update(listener.tls, self._secrets)

    def _follow(self, listeners: Mapping[str, KafkaListener]) -> None:
        for address, (before, listening) in self._listening.items():
            listener = listeners.get(before.name, before)
            if listener != before:
                listening.factory = self._gateway.factory(listener, address[1])
                self._listening[address] = (listener, listening)

    def at(self, listener: KafkaListener, port: int, sock: socket.socket) -> Listening:
        """What accepts at a port of a listener."""
        self._renew(listener)
        factory = self._gateway.factory(listener, port)
        if listener.tls is None:
            listening: Listening = PlainListening(self._loop, sock, factory)
        else:
            listening = Listening(self._loop, sock, factory, self._certificates[listener.name].context)
        self._listening[(listener.address, port)] = (listener, listening)
        return listening

    def forget(self, address: Address) -> None:
        """Nothing is accepted there any more."""
        self._listening.pop(address, None)

    async def drain(self, seconds: float) -> int:
        """Let all connections end; answers how many were cut at the limit."""
        return await self._gateway.drain(seconds)
