"""Requests as bytes to one broker, as a user of it; and the same through an interposer."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Any

from gateway_runtime.kafka.call import Call
from gateway_runtime.kafka.interpose import Interposer
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.kafka.topic_ids import TopicIds
from gateway_runtime.protocols.kafka.frames import LENGTH, RequestHeader, read_response, request_frame
from gateway_runtime.protocols.kafka.messages import KEYS, request_layout, response_layout

Message = dict[str, Any]
KEY = {api.name: api.key for api in KEYS.values()}


class Connection:
    """A connection to a broker, logged in by SASL PLAIN."""

    def __init__(self, address: str, user: str, password: str) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._count = 0
        self.ask("SaslHandshake", 1, {"Mechanism": "PLAIN"})
        self.ask("SaslAuthenticate", 2, {"AuthBytes": f"\0{user}\0{password}".encode()})

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, name: str, version: int, message: Message) -> Message:
        """What the broker answers."""
        self._count += 1
        key = KEY[name]
        header = RequestHeader(key, version, self._count, "test", 0)
        self._socket.sendall(b"".join(request_frame(header, message)))
        size = self._read(LENGTH.size)
        frame = size + self._read(LENGTH.unpack(size)[0])
        return read_response(frame, key, version)

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            part = self._socket.recv(count - len(found))
            assert part, "the broker closed the connection"
            found += part
        return found


class Interposed:
    """A client with rules, whose requests go to the broker by a connection that may do everything."""

    def __init__(self, upstream: Connection, rules: Rules) -> None:
        self._upstream = upstream
        self._interposer = Interposer(rules, TopicIds())

    def ask(self, name: str, version: int, message: Message) -> Message:
        """What the client is answered."""
        layout = request_layout(KEY[name], version)
        call = Call(KEY[name], version, layout.decode(b"".join(layout.encode(message))))
        interposer = self._interposer
        question = interposer.lookup(call)
        if question is not None:
            interposer.learned(call, question, self._upstream.ask("Metadata", 12, question))
        answer = interposer.admit(call)
        if answer is not None:
            return _as_sent(call, answer)
        interposer.to_cluster(call)
        response = self._upstream.ask(name, version, call.message)
        interposer.to_client(call, response)
        interposer.finish(call, response)
        return _as_sent(call, response)


def _as_sent(call: Call, message: Message) -> Message:
    layout = response_layout(call.key, call.version)
    return layout.decode(b"".join(layout.encode(message)))
