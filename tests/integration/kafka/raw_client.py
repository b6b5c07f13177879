"""A client that sends single requests, of any API and version or of mere bytes, and takes responses."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from gateway_runtime.protocols.kafka.frames import RequestHeader, read_response, request_frame
from gateway_runtime.protocols.kafka.messages import KEYS, Message

API_KEYS = {one.name: number for number, one in KEYS.items()}
PATIENCE = 20.0


class ClosedError(Exception):
    """The other side closed the connection in place of an answer."""


@dataclass
class RawClient:
    """One connection."""

    connection: socket.socket
    correlation: int = 0

    def ask(self, name: str, version: int, message: Message) -> Message:
        """The response to a request."""
        self.send(name, version, message)
        return self.take(name, version)

    def send(self, name: str, version: int, message: Message) -> None:
        """A request alone, as with acks=0."""
        self.correlation += 1
        header = RequestHeader(API_KEYS[name], version, self.correlation, "raw", 0)
        self.connection.sendall(b"".join(request_frame(header, message)))

    def raw(self, frame: bytes) -> None:
        """A frame of any bytes."""
        self.connection.sendall(struct.pack(">i", len(frame)) + frame)

    def take(self, name: str, version: int) -> Message:
        """The next response, decoded."""
        return read_response(self.frame(), API_KEYS[name], version)

    def order(self) -> int:
        """The correlation id of the next response."""
        number: int = struct.unpack_from(">i", self.frame(), 4)[0]
        return number

    def frame(self) -> bytes:
        """The next frame with its length."""
        length = self._exactly(4)
        return length + self._exactly(*struct.unpack(">i", length))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                raise ClosedError
            data += more
        return data


@contextmanager
def raw_client(address: str) -> Iterator[RawClient]:
    """A connection while it is needed."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        yield RawClient(connection)


def produce_request(topic: str, value: bytes, acks: int) -> Message:
    """One record for the partition 0 of a topic."""
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    batch.append(0, timestamp=int(time.time() * 1000), key=None, value=value, headers=[])
    partition = {"Index": 0, "Records": bytes(batch.build())}
    return {"Acks": acks, "TimeoutMs": 5000, "TopicData": [{"Name": topic, "PartitionData": [partition]}]}
